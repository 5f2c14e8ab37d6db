import { formatDigest, formatMs } from '../base/display.ts'

/** What one environment last said of one model: an attestation, as far as the gate looks at it. */
export interface Proof {
  readonly environment: string
  /** `sha256:…` of the model that was tested. */
  readonly model: string
  /** `sha256:…` of the image; null: it ran without one. */
  readonly image: string | null
  readonly passed: boolean
  readonly atMs: number
}

export interface Requirement {
  readonly environment: string
  /** Null: a proof counts however old it is. */
  readonly maxAgeMs: number | null
}

export interface GateQuestion<P extends Proof> {
  readonly requires: readonly Requirement[]
  /** Of this service, all environments and models. */
  readonly attestations: readonly P[]
  readonly model: string
  readonly image: string | null
  readonly nowMs: number
}

export interface MissingProof {
  readonly environment: string
  /** A sentence without its full stop: `staging never ran its checks`. */
  readonly why: string
}

export type GateDecision<P extends Proof> =
  | { readonly passed: true; readonly by: readonly P[] }
  | { readonly passed: false; readonly missing: readonly MissingProof[] }

/** Two machines may disagree by this much on what time it is. */
const clockMarginMs = 120_000

/** Every required environment must have passed this very model and image, and lately enough. What is not proven is refused. */
export function decideGate<P extends Proof>({ requires, ...question }: GateQuestion<P>): GateDecision<P> {
  const by: P[] = []
  const missing: MissingProof[] = []
  for (const requirement of requires) {
    const { environment } = requirement
    const proof = findProof(environment, question)
    const why =
      proof === undefined ? explainAbsence(environment, question) : explainRefusal(proof, requirement, question.nowMs)
    if (why !== undefined) missing.push({ environment, why })
    else if (proof !== undefined) by.push(proof)
  }
  return missing.length === 0 ? { passed: true, by } : { passed: false, missing }
}

type Looked<P extends Proof> = Omit<GateQuestion<P>, 'requires'>

/** The last word of the environment on this model and image. */
function findProof<P extends Proof>(environment: string, { attestations, model, image }: Looked<P>): P | undefined {
  return newest(
    attestations.filter((proof) => proof.environment === environment && proof.model === model && proof.image === image),
  )
}

function explainRefusal(proof: Proof, { environment, maxAgeMs }: Requirement, nowMs: number): string | undefined {
  const ageMs = nowMs - proof.atMs
  if (ageMs < -clockMarginMs)
    return `the proof of ${environment} is dated ${formatMs(-ageMs)} after this machine's clock`
  if (!proof.passed) return `${environment} failed its checks of this model ${formatAge(ageMs)} ago`
  if (maxAgeMs === null || ageMs <= maxAgeMs) return undefined
  return `${environment} passed this model, but ${formatAge(ageMs)} ago; at most ${formatAge(maxAgeMs)} counts`
}

function explainAbsence(environment: string, { attestations, model, image }: Looked<Proof>): string {
  const own = attestations.filter((proof) => proof.environment === environment)
  const sameModel = newest(own.filter((proof) => proof.model === model))
  const last = sameModel ?? newest(own)
  if (last === undefined) return `${environment} has never run its checks`
  const said = last.passed ? 'passed' : 'failed'
  return sameModel === undefined
    ? `${environment} ${said} another model (${shorten(last.model)} instead of ${shorten(model)})`
    : `${environment} ${said} this model with another image (${shorten(last.image)} instead of ${shorten(image)})`
}

function newest<P extends Proof>(proofs: readonly P[]): P | undefined {
  return proofs.reduce<P | undefined>(
    (last, proof) => (last === undefined || proof.atMs > last.atMs ? proof : last),
    undefined,
  )
}

function formatAge(ageMs: number): string {
  return formatMs(Math.max(0, ageMs))
}

/** `sha256:7793a8…` → `sha256 7793a8…`, as every other line shows it. */
function shorten(digest: string | null): string {
  return digest === null ? 'none' : `sha256 ${formatDigest(digest)}`
}
