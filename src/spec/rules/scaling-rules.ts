import { suggest } from '../../base/suggestion.ts'
import type { Finding } from '../source/finding.ts'
import type { DocumentView } from './document-view.ts'

const requestTargets = ['concurrency', 'requestsPerSecond', 'queuedRows']

export function checkScaling(view: DocumentView): Finding[] {
  if (!view.has('spec', 'autoscaling')) return []
  const findings: Finding[] = []
  const say = (code: Finding['code'], path: readonly (string | number)[], message: string): void => {
    findings.push({ code, path: ['spec', 'autoscaling', ...path], message })
  }
  const least = view.numberAt('spec', 'autoscaling', 'minReplicas')
  const most = view.numberAt('spec', 'autoscaling', 'maxReplicas')
  if (least !== undefined && most !== undefined && least > most)
    say('TL_SPEC_SCALE_RANGE', ['minReplicas'], `minReplicas ${least} is above maxReplicas ${most}`)
  const targets = view.keysAt('spec', 'autoscaling', 'targets')
  const queries = view.listAt('spec', 'autoscaling', 'prometheus')
  if (least === 0 && !targets.some((target) => requestTargets.includes(target)))
    say(
      'TL_SPEC_SCALE_TO_ZERO',
      ['minReplicas'],
      `minReplicas 0 needs a target that counts requests: ${requestTargets.join(', ')}`,
    )
  if (targets.length === 0 && queries.length === 0)
    say('TL_SPEC_SCALE_TARGET', [], 'autoscaling has neither `targets` nor `prometheus`, so it would never scale')
  if (view.has('spec', 'autoscaling', 'burst') && !targets.includes('concurrency'))
    say('TL_SPEC_SCALE_TARGET', ['burst'], 'burst watches the requests in flight; add targets.concurrency')
  const up = ['spec', 'autoscaling', 'behavior', 'scaleUp']
  const upPolicies = view.listAt(...up, 'policies')
  const adds = [...upPolicies.keys()].some((index) => view.textAt(...up, 'policies', index, 'type') === 'Pods')
  if (least === 0 && upPolicies.length > 0 && !adds)
    say(
      'TL_SPEC_SCALE_TO_ZERO',
      ['behavior', 'scaleUp', 'policies'],
      'a percentage of zero is zero: without a policy of type Pods the service would never come back',
    )
  if (targets.includes('cpuPercent') && !view.has('spec', 'resources', 'cpu'))
    say(
      'TL_SPEC_SCALE_TARGET',
      ['targets', 'cpuPercent'],
      'cpuPercent is a share of `resources.cpu`, which is not given; add it',
    )
  if (targets.includes('memoryPercent') && !view.has('spec', 'resources', 'memory'))
    say(
      'TL_SPEC_SCALE_TARGET',
      ['targets', 'memoryPercent'],
      'memoryPercent is a share of `resources.memory`, which is not given; add it',
    )
  if (view.has('spec', 'replicas')) {
    const message = 'replicas is fixed here, and autoscaling would change it; remove one of the two'
    findings.push({ code: 'TL_SPEC_REPLICAS', path: ['spec', 'replicas'], message })
  }
  return findings
}

const guarded = [
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'image',
  'terminationGracePeriodSeconds',
]

/** A patch may not take away what Towline promises: probes, preStop, grace, image. */
export function checkPodPatch(view: DocumentView): Finding[] {
  const findings: Finding[] = []
  const walk = (value: unknown, path: readonly (string | number)[], depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 32) return
    for (const [key, inner] of Object.entries(value)) {
      const at = [...path, Array.isArray(value) ? Number(key) : key]
      // Label and annotation maps hold keys of any name.
      if (key === 'labels' || key === 'annotations') continue
      if (!Array.isArray(value) && guarded.includes(key))
        findings.push({
          code: 'TL_SPEC_POD_PATCH',
          path: at,
          message: `pod.patch cannot set \`${key}\`: Towline's guarantees rest on it`,
        })
      else walk(inner, at, depth + 1)
    }
  }
  walk(view.at('spec', 'pod', 'patch'), ['spec', 'pod', 'patch'], 0)
  return findings
}

/** A mount that names no volume is a pod that never starts. */
export function checkMounts(view: DocumentView): Finding[] {
  const volumes = view
    .listAt('spec', 'pod', 'volumes')
    .map((_, index) => view.textAt('spec', 'pod', 'volumes', index, 'name'))
  const known = volumes.filter((name) => name !== undefined)
  return view.listAt('spec', 'pod', 'mounts').flatMap((_, index): Finding[] => {
    const name = view.textAt('spec', 'pod', 'mounts', index, 'name')
    if (name === undefined || known.includes(name)) return []
    const close = suggest(name, known)
    const message = `\`${name}\` is no volume of pod.volumes${close === undefined ? '' : `; did you mean \`${close}\`?`}`
    return [{ code: 'TL_SPEC_VALUE', path: ['spec', 'pod', 'mounts', index, 'name'], message }]
  })
}
