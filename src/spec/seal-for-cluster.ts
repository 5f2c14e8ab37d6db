import { type Diagnostic, hasErrors, sortDiagnostics } from '../base/diagnostic.ts'
import type { ClusterService } from './cluster-service.ts'
import { loadSpec } from './load.ts'
import type { Lock } from './lock.ts'
import { resolveClusterService } from './resolve/resolve-cluster-service.ts'
import type { ModelServiceDocument } from './schema/model-service.ts'
import { sealDocument } from './seal.ts'
import { unsupportedFields } from './unsupported.ts'
import { placeFinding } from './source/finding.ts'
import { parsePlain } from './source/plain-node.ts'
import { viewDocument } from './rules/document-view.ts'

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
  if (loaded.document === undefined) return { diagnostics: loaded.diagnostics }
  const sealed = sealDocument(loaded.document, lock, file)
  const late = [...checkSealedImage(sealed.document ?? loaded.document, file, sealed.diagnostics.length > 0)]
  const diagnostics = sortDiagnostics(unique([...loaded.diagnostics, ...sealed.diagnostics, ...late]))
  if (sealed.document === undefined || hasErrors(diagnostics)) return { diagnostics }
  // The file form was valid, and a seal only fills in what the lock pins.
  const clusterService = resolveClusterService(sealed.document as ModelServiceDocument)
  return { document: sealed.document, clusterService, diagnostics }
}

/** What can be said of an image only once the lock has named it. */
function checkSealedImage(document: unknown, file: string, isOpen: boolean): Diagnostic[] {
  const { root } = parsePlain(document, file)
  if (root === undefined) return []
  const view = viewDocument(document)
  if (!view.has('spec', 'image')) {
    if (isOpen) return []
    const message = 'a cluster runs an image: `towline build` makes it, and `towline push` brings it to a registry'
    return [placeFinding(root, { path: ['spec'], code: 'TL_SEAL_UNLOCKED', message }, 'Unknown')]
  }
  return unsupportedFields(document, 'Cluster', { env: {}, apiKeys: [] })
    .filter(({ path }) => path.join('.') === 'spec.image')
    .map((finding) => placeFinding(root, finding, 'Unknown'))
}

function unique(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...new Map(diagnostics.map((each) => [`${each.code} ${each.message}`, each])).values()]
}
