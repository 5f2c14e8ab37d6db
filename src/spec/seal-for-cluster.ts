import { type Diagnostic, hasErrors, sortDiagnostics } from '../base/diagnostic.ts'
import type { ClusterService } from './cluster-service.ts'
import { loadSpec } from './load.ts'
import type { Lock } from './lock.ts'
import { resolveClusterService } from './resolve/resolve-cluster-service.ts'
import { viewDocument } from './rules/document-view.ts'
import type { ModelServiceDocument } from './schema/model-service.ts'
import { sealDocument } from './seal.ts'
import type { Finding } from './source/finding.ts'

export interface SealedForCluster {
  /** Both are there when nothing is an error. */
  readonly document?: unknown
  readonly clusterService?: ClusterService
  readonly diagnostics: readonly Diagnostic[]
}

/** From files to what a cluster stores: the spec, its overlay and its lock. All that stands against it, at once. */
export async function sealForCluster(
  file: string,
  { overlay, lock }: { readonly overlay?: string | undefined; readonly lock?: Lock | undefined },
): Promise<SealedForCluster> {
  const loaded = await loadSpec(file, { target: 'Cluster', ...(overlay === undefined ? {} : { overlay }) })
  if (loaded.place === undefined) return { diagnostics: loaded.diagnostics }
  const { document, findings } = sealDocument(loaded.document, lock)
  const late = [...findings, ...checkImage(loaded.document, lock)].map(loaded.place)
  const diagnostics = sortDiagnostics([...loaded.diagnostics, ...late])
  if (document === undefined || hasErrors(diagnostics)) return { diagnostics }
  // The file form was valid, and a seal only fills in what the lock pins.
  return { document, clusterService: resolveClusterService(document as ModelServiceDocument), diagnostics }
}

/** A cluster runs an image, and every node has to find it. */
function checkImage(document: unknown, lock: Lock | undefined): Finding[] {
  const view = viewDocument(document)
  const image = lock?.image ?? view.textAt('spec', 'image')
  if (image === undefined) {
    // A recipe without an image is told by the seal.
    if (view.has('spec', 'build')) return []
    const message = 'a cluster runs an image: `towline build` makes it, and `towline push` brings it to a registry'
    return [{ path: ['spec'], code: 'TL_SEAL_UNLOCKED', message }]
  }
  const [host = '', ...rest] = image.split('/')
  if (rest.length > 0 && /[.:]|^localhost$/.test(host)) return []
  // What `build` alone has written: the next deploy would take the place of what runs by what nodes cannot have.
  if (rest.length === 0 && lock?.image !== undefined) {
    const message = `the image \`${image.split('@')[0]}\` was built and not pushed: \`towline push REGISTRY/NAME\` brings it to where nodes find it`
    return [{ path: ['spec'], code: 'TL_SEAL_UNLOCKED', message }]
  }
  const message = `the image \`${image.split('@')[0]}\` names no registry: nodes would look for it at Docker Hub; \`towline push REGISTRY/NAME\` writes its name into the lock`
  return [{ path: ['spec', 'image'], code: 'TL_TARGET_IGNORES', severity: 'warning', message }]
}
