import { TowlineError } from '../base/errors.ts'
import type { Expectation, TestPlan } from '../spec/test-plan/plan.ts'
import { judgeAnswer } from './answer-verdict.ts'
import { callInference, type InferenceTarget } from './inference-call.ts'
import { type Payload, readPayloadAsNamed } from './payload.ts'

/** One request with what must come back, ready to be sent: its bytes are in memory. */
export interface Check {
  readonly name: string
  readonly payload: Payload
  readonly expect: Expectation
}

export interface CheckResult {
  readonly name: string
  readonly passed: boolean
  /** `espresso 95.7 %`, or `expected espresso with at least 30 %, got cup 61.2 %, espresso 20.1 %`. */
  readonly detail: string
  /** Numbers with their unit in the name: `tookMs`. */
  readonly figures: Readonly<Record<string, number>>
}

/** Reads what the inferences of a plan send. */
export function readChecks({ inferences }: TestPlan): Check[] {
  return inferences.map(({ name, input, expect }) => ({ name, payload: readPayloadAsNamed(input), expect }))
}

/** One after the other, all of them: a check that fails is a result, and so is a service that gives no answer. */
export async function runChecks(
  checks: readonly Check[],
  target: InferenceTarget,
  onResult: (result: CheckResult) => void = () => undefined,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks) {
    const result = await runCheck(check, target)
    results.push(result)
    onResult(result)
  }
  return results
}

/** `coffee.jpg: expected espresso with at least 30 %, got cup 61.2 %, espresso 20.1 %`. */
export function describeResult({ name, detail }: CheckResult): string {
  return `${name}: ${detail}`
}

async function runCheck({ name, payload, expect }: Check, target: InferenceTarget): Promise<CheckResult> {
  try {
    const answer = await callInference(payload, target)
    return { name, ...judgeAnswer(expect, answer), figures: { tookMs: roundMs(answer.tookMs) } }
  } catch (error) {
    return { name, passed: false, detail: `no answer: ${explainSilence(error, target)}`, figures: {} }
  }
}

/** Why no answer came; stopping on request, and our own mistakes, stay what they are. */
export function explainSilence(error: unknown, { signal }: InferenceTarget): string {
  signal?.throwIfAborted()
  if (error instanceof TowlineError) return error.detail
  if (error instanceof Error && 'code' in error) return error.message
  throw error
}

/** To a tenth: what is kept and shown. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10
}
