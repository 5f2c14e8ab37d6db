import type { Clock } from '../base/clock.ts'
import { formatMs } from '../base/display.ts'
import { renderDuration } from '../base/duration.ts'
import { TowlineError } from '../base/errors.ts'
import type { LoadTest } from '../spec/test-plan/plan.ts'
import { describeStatus } from './answer-verdict.ts'
import { type CheckResult, explainSilence, roundMs } from './checks.ts'
import { openLoadConnection, renderPost } from './connection.ts'
import { callInference, type InferenceTarget } from './inference-call.ts'
import { type OpenLoad, type OpenReport, runOpenLoop } from './open-loop.ts'
import { readPayloadAsNamed } from './payload.ts'

const maxConnections = 256

export interface LoadRun {
  readonly clock: Clock
  /** In [0, 1); for reproducible arrivals. */
  readonly random: () => number
  readonly onProgress?: OpenLoad['onProgress']
}

/** `20/s for 30s`: what the check is called. */
export function nameLoad({ requestsPerSecond, durationMs }: LoadTest): string {
  return `${requestsPerSecond}/s for ${renderDuration(durationMs)}`
}

/** The load of a plan against its limits. What is refused alone is not sent at full rate. */
export async function runLoadCheck(
  test: LoadTest,
  target: InferenceTarget,
  { clock, random, onProgress }: LoadRun,
): Promise<CheckResult> {
  const { url, headers, timeoutMs, signal } = target
  const address = new URL(url)
  if (address.protocol !== 'http:')
    throw new TowlineError('TL_USAGE', `${address.protocol}// is not spoken by a load`, {
      hint: 'give an http:// address',
    })
  const payload = readPayloadAsNamed(test.input)
  const refusal = await tryOnce(payload, target)
  if (refusal !== undefined) return { name: nameLoad(test), passed: false, detail: refusal, figures: {} }
  const host = address.hostname.replace(/^\[|\]$/g, '')
  const report = await runOpenLoop({
    request: renderPost(
      `${address.pathname}${address.search}`,
      { 'content-type': payload.type, ...headers },
      payload.bytes,
      address.host,
    ),
    ratePerSecond: test.requestsPerSecond,
    arrivals: 'poisson',
    durationMs: test.durationMs,
    timeoutMs,
    maxConnections,
    connect: async () => await openLoadConnection(Number(address.port || 80), host),
    clock,
    random,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  // A part of the load proves nothing.
  signal?.throwIfAborted()
  return judgeLoad(test, report)
}

export function judgeLoad(
  test: LoadTest,
  { due, statuses, latency }: Pick<OpenReport, 'due' | 'statuses' | 'latency'>,
): CheckResult {
  const { maxErrorsPerThousand, p99Ms: limitMs } = test
  const answered = [...statuses].reduce((sum, [status, count]) => sum + (status < 400 ? count : 0), 0)
  const failed = due - answered
  const { histogram } = latency
  // A percentile is the end of its slot, which may lie behind the greatest value in it.
  const p99Ms = Math.min(histogram.getValueAtPercentile(99), histogram.maxValue) / 1000
  const tooMany = due === 0 || failed * 1000 > maxErrorsPerThousand * due
  const tooSlow = limitMs !== null && p99Ms > limitMs
  const detail = [
    answered === 0
      ? 'nothing was answered'
      : `p99 ${formatMs(p99Ms)}${tooSlow ? `, at most ${formatMs(limitMs)} expected` : ''}`,
    `${failed} of ${due} failed${tooMany ? `, at most ${maxErrorsPerThousand} of 1000 may` : ''}`,
  ]
  return {
    name: nameLoad(test),
    passed: !tooMany && !tooSlow && answered > 0,
    detail: detail.join(', '),
    figures: { due, failed, p99Ms: roundMs(p99Ms) },
  }
}

async function tryOnce(
  payload: Parameters<typeof callInference>[0],
  target: InferenceTarget,
): Promise<string | undefined> {
  try {
    const answer = await callInference(payload, target)
    return answer.status === 200 ? undefined : `the input is answered with ${describeStatus(answer)}`
  } catch (error) {
    return `no answer: ${explainSilence(error, target)}`
  }
}
