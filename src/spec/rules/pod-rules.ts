import { suggest } from '../../base/suggestion.ts'
import type { Finding } from '../source/finding.ts'
import type { Path } from '../source/positioned-node.ts'
import type { DocumentView } from './document-view.ts'

/** Of pods and containers: what the guarantees rest on. */
export const guardedFields = [
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'image',
  'ports',
  'terminationGracePeriodSeconds',
]
/** Lists that may grow and not be taken away as a whole. */
const kept = ['containers', 'volumes', 'volumeMounts']
export const ownKeys = 'towline.dev/'
/** Of volumes that the server's own pod has. */
export const ownVolumes = 'towline-'
export const ownPaths = ['/etc/towline', '/opt/towline', '/models']

/** A patch may not take away what Towline promises: probes, preStop, grace, image, and how its own pods are found. */
export function checkPodPatch(view: DocumentView): Finding[] {
  const findings: Finding[] = []
  const refuse = (path: Path, key: string): void => {
    findings.push({
      code: 'TL_SPEC_POD_PATCH',
      path,
      message: `pod.patch cannot set \`${key}\`: Towline's guarantees rest on it`,
    })
  }
  const walk = (value: unknown, path: Path, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 32) return
    for (const [key, inner] of Object.entries(value)) {
      const at = [...path, Array.isArray(value) ? Number(key) : key]
      // Label and annotation maps hold keys of any name but ours.
      if (key === 'labels' || key === 'annotations') {
        for (const own of Object.keys((inner ?? {}) as object).filter((name) => name.startsWith(ownKeys)))
          refuse([...at, own], own)
        if (inner === null) refuse(at, key)
        continue
      }
      if (!Array.isArray(value) && (guardedFields.includes(key) || (kept.includes(key) && inner === null)))
        refuse(at, key)
      else walk(inner, at, depth + 1)
    }
    const { name, mountPath } = value as { readonly name?: unknown; readonly mountPath?: unknown }
    if (isOwnVolume(name)) refuse([...path, 'name'], String(name))
    if (isOwnPath(mountPath)) refuse([...path, 'mountPath'], String(mountPath))
  }
  walk(view.at('spec', 'pod', 'patch'), ['spec', 'pod', 'patch'], 0)
  return findings
}

/** A mount that names no volume, or a place that is taken, is a pod that never starts. */
export function checkMounts(view: DocumentView): Finding[] {
  const volumes = view
    .listAt('spec', 'pod', 'volumes')
    .map((_, index) => view.textAt('spec', 'pod', 'volumes', index, 'name'))
  const known = volumes.filter((name) => name !== undefined)
  const say = (path: Path, message: string): Finding => ({
    code: 'TL_SPEC_VALUE',
    path: ['spec', 'pod', ...path],
    message,
  })
  const taken = volumes.flatMap((name, index) =>
    isOwnVolume(name)
      ? [
          say(
            ['volumes', index, 'name'],
            `names of volumes that begin with \`${ownVolumes}\` are Towline's; choose another than \`${name}\``,
          ),
        ]
      : [],
  )
  const mounts = view.listAt('spec', 'pod', 'mounts').flatMap((_, index): Finding[] => {
    const path = view.textAt('spec', 'pod', 'mounts', index, 'mountPath')
    if (isOwnPath(path))
      return [
        say(['mounts', index, 'mountPath'], `\`${path}\` is where the image has its own files; choose another path`),
      ]
    const name = view.textAt('spec', 'pod', 'mounts', index, 'name')
    if (name === undefined || known.includes(name)) return []
    const close = suggest(name, known)
    return [
      say(
        ['mounts', index, 'name'],
        `\`${name}\` is no volume of pod.volumes${close === undefined ? '' : `; did you mean \`${close}\`?`}`,
      ),
    ]
  })
  return [...taken, ...mounts]
}

function isOwnVolume(name: unknown): boolean {
  return typeof name === 'string' && name.startsWith(ownVolumes)
}

function isOwnPath(path: unknown): boolean {
  return typeof path === 'string' && ownPaths.includes(path.replace(/\/+$/, ''))
}
