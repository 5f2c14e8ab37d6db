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

/** What the environments that the spec requires have said of this model. */
export function askGate({ service, file, modelDigest, nowMs }: Admission): GateDecision<Attestation> {
  const { requires } = service.rollout
  const attestations = requires.length === 0 ? [] : readAttestations(dirname(file), service.name)
  return decideGate({ requires, attestations, model: modelDigest, image: null, nowMs })
}

/** TL_GATE_CLOSED unless every required environment has passed this model. What serves already needs no proof. */
export function admit(admission: Admission, record: ServiceRecord | undefined, hash: string): void {
  const serves = record?.revisions.find(({ number }) => number === record.stable)
  if (serves?.hash === hash && serves.proven) return
  const decision = askGate(admission)
  if (decision.passed) return
  const detail = decision.missing.map(({ why }) => why).join('; ')
  const [first] = decision.missing
  throw new TowlineError('TL_GATE_CLOSED', detail, {
    hint: `bring it up there and let \`towline test --env ${first?.environment}\` pass; nothing was changed here`,
  })
}
