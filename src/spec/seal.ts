import { inputsHash, type Lock } from './lock.ts'
import { viewDocument } from './rules/document-view.ts'
import { isModelAddress } from './rules/model-rules.ts'
import type { Finding } from './source/finding.ts'

const digest = /^sha256:[0-9a-f]{64}$/

export interface Sealed {
  /** The document with all that the lock pins; present when nothing is left open. */
  readonly document?: unknown
  readonly findings: readonly Finding[]
}

/**
 * Fills in the digests of `lock`, and writes quantities that are fractions as text: what a cluster stores. Pure: the overlay is
 * applied already, and nothing is looked up.
 * A document that pins everything itself needs no lock.
 */
export function sealDocument(document: unknown, lock: Lock | undefined): Sealed {
  const sealed = writeFractions(lock === undefined ? document : fillIn(document, lock))
  const findings = [...checkLockFits(document, lock), ...checkSealed(sealed)]
  return findings.length === 0 ? { document: sealed, findings } : { findings }
}

function checkLockFits(document: unknown, lock: Lock | undefined): Finding[] {
  if (lock === undefined || lock.inputs === inputsHash(document)) return []
  const message = 'model, image or build changed after the lock was written; run `towline build` again'
  return [{ path: ['spec'], code: 'TL_LOCK_STALE', message }]
}

function fillIn(document: unknown, { image, model }: Lock): unknown {
  const view = viewDocument(document)
  const [spec, stated] = [view.at('spec'), view.at('spec', 'model')]
  if (!isMap(document) || !isMap(spec) || !isMap(stated)) return document
  const uri = model?.uri ?? view.textAt('spec', 'model', 'uri')
  return {
    ...document,
    spec: {
      ...spec,
      ...(model === undefined ? {} : { model: { ...stated, uri, digest: model.digest } }),
      ...(image === undefined ? {} : { image }),
    },
  }
}

/** A custom resource holds whole numbers and text. Kubernetes' own structures stay as they are. */
function writeFractions(document: unknown): unknown {
  if (!isMap(document) || !isMap(document['spec'])) return document
  const fields = Object.entries(document['spec']).map(([name, field]) => [
    name,
    ['pod', 'expose'].includes(name) ? field : fractionsAsText(field),
  ])
  return { ...document, spec: Object.fromEntries(fields) }
}

function fractionsAsText(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : String(value)
  if (Array.isArray(value)) return value.map(fractionsAsText)
  return isMap(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fractionsAsText(inner)]))
    : value
}

function checkSealed(document: unknown): Finding[] {
  const view = viewDocument(document)
  const findings: Finding[] = []
  const uri = view.textAt('spec', 'model', 'uri')
  const lockHint = 'run `towline build`'
  if (uri !== undefined && !isModelAddress(uri)) {
    const message = `the model is the local path \`${uri}\`; a cluster needs an address: ${lockHint}`
    findings.push({ path: ['spec', 'model', 'uri'], code: 'TL_SEAL_LOCAL', message })
  } else if (!digest.test(view.textAt('spec', 'model', 'digest') ?? '') && !/@sha256:[0-9a-f]{64}$/.test(uri ?? '')) {
    const message = `what \`${uri ?? ''}\` holds may change; pin it with spec.model.digest: ${lockHint}`
    findings.push({ path: ['spec', 'model', 'uri'], code: 'TL_SEAL_UNLOCKED', message })
  }
  const image = view.textAt('spec', 'image')
  if (image !== undefined && !digest.test(image.split('@')[1] ?? '')) {
    const message = `the image \`${image}\` has no digest; ${lockHint}`
    findings.push({ path: ['spec', 'image'], code: 'TL_SEAL_UNLOCKED', message })
  }
  if (image === undefined && view.has('spec', 'build')) {
    const message = '`build` has no image yet; run `towline build`'
    findings.push({ path: ['spec', 'build'], code: 'TL_SEAL_UNLOCKED', message })
  }
  return findings
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
