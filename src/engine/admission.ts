import { dirname } from 'node:path'
import { TowlineError } from '../base/errors.ts'
import { type GateDecision, decideGate } from '../decide/gate.ts'
import { readAttestations } from '../store/attestation-files.ts'
import type { Attestation } from '../store/attestation.ts'
import type { Service } from '../spec/service.ts'
import type { ServiceRecord } from './state/records.ts'

export interface Admission {
  readonly service: Service
  /** Absolute path of the file it came from: the attestations lie beside it. */
  readonly file: string
  readonly modelDigest: string
  readonly nowMs: number
}

/** What the environments that the spec requires have said of this model; null: no proof is needed, as for what serves already. */
export function askGate(
  { service, file, modelDigest, nowMs }: Admission,
  record: ServiceRecord | undefined,
  hash: string,
): GateDecision<Attestation> | null {
  const { requires } = service.rollout
  const serves = record?.revisions.find(({ number }) => number === record.stable)
  if (requires.length === 0 || (serves?.hash === hash && serves.proven)) return null
  const attestations = readAttestations(dirname(file), service.name)
  return decideGate({ requires, attestations, model: modelDigest, image: null, nowMs })
}

/** TL_GATE_CLOSED unless every required environment has passed this model. */
export function admit(admission: Admission, record: ServiceRecord | undefined, hash: string): void {
  const decision = askGate(admission, record, hash)
  if (decision === null || decision.passed) return
  const detail = decision.missing.map(({ why }) => why).join('; ')
  const [first] = decision.missing
  throw new TowlineError('TL_GATE_CLOSED', detail, {
    hint: `bring it up there and let \`towline test --env ${first?.environment}\` pass; nothing was changed here`,
  })
}
