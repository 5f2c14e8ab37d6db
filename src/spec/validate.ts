import { type Diagnostic, hasErrors, sortDiagnostics } from '../base/diagnostic.ts'
import { resolveService } from './resolve/resolve-service.ts'
import { type DocumentView, viewDocument } from './rules/document-view.ts'
import { checkEnv } from './rules/env-rules.ts'
import { checkListKeys } from './rules/list-rules.ts'
import { checkLocalModel, checkModelUri } from './rules/model-rules.ts'
import { checkRollout } from './rules/rollout-rules.ts'
import { checkMounts, checkPodPatch } from './rules/pod-rules.ts'
import { checkScaling } from './rules/scaling-rules.ts'
import { checkServing } from './rules/serving-rules.ts'
import { checkSmoke } from './rules/smoke-rules.ts'
import type { ModelServiceDocument } from './schema/model-service.ts'
import type { ApiKey, Service } from './service.ts'
import { type Finding, placeFinding, type Places } from './source/finding.ts'
import { parsePlain } from './source/plain-node.ts'
import { plainValue, type PositionedNode } from './source/positioned-node.ts'
import { type Target, unsupportedFields } from './unsupported.ts'

export interface Validated {
  /** Present when there is no error. */
  readonly service?: Service
  readonly diagnostics: readonly Diagnostic[]
}

export interface ValidateOptions {
  /** Folder that relative paths in the document start from. */
  readonly baseDir: string
  /** What messages call the document. */
  readonly file: string
  /** Values for references in `env`, and instead of the values written there. */
  readonly env?: Readonly<Record<string, string>>
  /** The keys of the secret that `expose.apiKeys` names. */
  readonly apiKeys?: readonly ApiKey[]
  /** For whom the document is read; the local engine when left out. */
  readonly target?: Target
}

const rules: readonly ((view: DocumentView) => Finding[])[] = [
  checkModelUri,
  checkServing,
  checkEnv,
  checkScaling,
  checkRollout,
  checkPodPatch,
  checkMounts,
  checkListKeys,
]

/** Checks a plain document, as the engine gets it. All its findings lie at the start of `file`; messages name the field. */
export async function validateDocument(document: unknown, options: ValidateOptions): Promise<Validated> {
  const { root, diagnostics } = parsePlain(document, options.file)
  return root === undefined ? { diagnostics } : validateTree(root, options, 'Unknown')
}

/** All that is wrong with a document at once, each at its place; a `Service` when nothing is. */
export async function validateTree(
  root: PositionedNode,
  { baseDir, env = {}, apiKeys = [], target = 'Local' }: ValidateOptions,
  places: Places = 'Exact',
): Promise<Validated> {
  const [{ checkShape }, { modelServiceSchema }] = await Promise.all([
    import('./schema/findings.ts'),
    import('./schema/model-service.ts'),
  ])
  const document = plainValue(root)
  const view = viewDocument(document)
  const findings = [
    ...checkShape(modelServiceSchema, document),
    ...rules.flatMap((rule) => rule(view)),
    // What a cluster serves lies in the image; the files may be elsewhere.
    ...(target === 'Cluster' ? [] : [...checkLocalModel(view, baseDir), ...(await checkSmoke(view, baseDir))]),
    ...unsupportedFields(document, target, { env, apiKeys }),
  ]
  const diagnostics = sortDiagnostics(findings.map((finding) => placeFinding(root, finding, places)))
  if (hasErrors(diagnostics)) return { diagnostics }
  // The schema has just found nothing to say against it.
  return { service: resolveService(document as ModelServiceDocument, { baseDir, env, apiKeys }), diagnostics }
}
