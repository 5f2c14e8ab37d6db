import assert from 'node:assert/strict'
import type { Probe, Reply } from './probe.ts'

/** Something that is true of every API server. */
export interface ConformanceCase {
  /** A sentence. */
  readonly name: string
  /** Only where `ApiUnderTest.compact` is there. */
  readonly needsCompaction?: true
  run(probe: Probe): Promise<void>
}

/** A `Status` with this code and reason, and these words. */
export function assertStatus(reply: Reply, code: number, reason: string, message?: string | RegExp): void {
  const { kind, status, code: sentCode, reason: sentReason = '', message: sentMessage } = reply.body
  assert.deepEqual(
    { http: reply.status, kind, status, code: sentCode, reason: sentReason },
    { http: code, kind: 'Status', status: 'Failure', code, reason },
    JSON.stringify(reply.body),
  )
  if (typeof message === 'string') assert.equal(sentMessage, message)
  if (message instanceof RegExp) assert.match(String(sentMessage), message)
}

/** The fields of what is wrong, with why. */
export function causesOf({ body }: Reply): readonly unknown[] {
  const causes =
    (body['details'] as { causes?: readonly { reason: string; field?: string }[] } | undefined)?.causes ?? []
  return causes.map(({ reason, field }) => (field === undefined ? reason : `${reason} ${field}`))
}
