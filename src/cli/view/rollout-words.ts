import { formatDigest, formatMs } from '../../base/display.ts'
import type { RolloutStatus, ServiceStatus } from '../../control/api.ts'
import { formatShare } from '../../decide/rollout/cause.ts'

/** Parts of a rollout in words, the same in `up`, `status` and `why`. */

type Analysis = NonNullable<RolloutStatus['analysis']>
type Metric = Analysis['metrics'][number]

/** `canary 5 % → 25 % → 100 %`; a rolling change may be one by one or, with `surge: Recreate`, all at once. */
export function describeWay({ kind, weights }: Pick<RolloutStatus, 'kind' | 'weights'>): string {
  switch (kind) {
    case 'Canary':
      return `canary ${[...weights, 100].map((weight) => `${weight} %`).join(' → ')}`
    case 'Rolling':
      return 'rolling'
    case 'Switch':
      return 'in one move, once it has full capacity'
  }
}

/** `model sha256 7793a8… → c01d44…`. */
export function describeModelChange(from: string | undefined, to: string | undefined): string {
  if (to === undefined) return 'model not known'
  if (from === undefined) return `model sha256 ${shorten(to)}`
  return from === to ? `model unchanged (sha256 ${shorten(to)})` : `model sha256 ${shorten(from)} → ${shorten(to)}`
}

function shorten(digest: string): string {
  return formatDigest(digest)
}

/** `step 2 of 3 (25 %)`; before and after the steps undefined. */
export function describeStep({ step, weights }: Pick<RolloutStatus, 'step' | 'weights'>): string | undefined {
  const weight = step === null ? undefined : weights[step - 1]
  return weight === undefined ? undefined : `step ${step} of ${weights.length} (${weight} %)`
}

/** What the gateway was told, and what the requests since then show. */
export function describeWeight({ candidate: { weight } }: Pick<RolloutStatus, 'candidate'>): string | undefined {
  if (weight === null) return undefined
  const { stable, candidate } = weight.requests
  const total = stable + candidate
  const observed = total === 0 ? 'nothing yet' : `${((candidate / total) * 100).toFixed(1)} %`
  return `written ${weight.written} %   observed ${observed}`
}

/** `errors: 2 of 418 (0.48 %) new, 31 of 7940 (0.39 %) stable; tolerated at most 1 %; alarm 0.3 of 20, proof 4.1 of 20`. */
export function describeMetric({ metric, candidate, stable, bound, alarm, proof }: Metric): string {
  const of = ({ requests, bad, share }: Metric['candidate']): string =>
    share === null ? 'no requests' : `${bad} of ${requests} (${formatShare(share)})`
  const evidence = ({ reached, needed }: Metric['alarm']): string =>
    `${reached >= 99.95 ? Math.round(Math.min(reached, 1e6)) : Number(reached.toFixed(1))} of ${Math.round(needed)}`
  const what = metric === 'Errors' ? 'errors' : 'slow answers'
  return `${what}: ${of(candidate)} new, ${of(stable)} stable; tolerated at most ${formatShare(bound)}; alarm ${evidence(alarm)}, proof ${evidence(proof)}`
}

const verdictWords = {
  Pass: 'PASS   it is no worse than tolerated',
  Fail: 'FAIL   it is worse than tolerated',
  Inconclusive: 'no verdict yet   neither worse nor no worse is shown',
  NoData: 'no verdict yet   it was asked nothing',
} as const

export function describeVerdict({ verdict, crashed, windows }: Analysis): string {
  const crash = crashed ? ', and answers with errors as no healthy service does' : ''
  return `${verdictWords[verdict]}${crash}   after ${windows} ${windows === 1 ? 'window' : 'windows'}`
}

/** What ends a pause. */
export function explainPause({ pause, kind }: Pick<RolloutStatus, 'pause' | 'kind'>, name: string): string {
  switch (pause?.reason) {
    case undefined:
      return `\`towline pause ${name}\` holds it`
    case 'Manual':
      return `\`towline promote ${name}\` goes on, \`towline abort ${name}\` turns back`
    case 'ByHand':
      return `\`towline resume ${name}\` lets it go on, \`towline abort ${name}\` turns back`
    case 'NoTraffic':
      return `it goes on with the next request; \`towline promote ${name}\` goes on without proof, \`towline abort ${name}\` turns back`
    case 'Inconclusive':
      return `\`towline resume ${name}\` watches as long again, \`towline promote ${name}\` goes on without proof, \`towline abort ${name}\` turns back`
    case 'Failed':
      // Nothing is judged in a rolling change.
      if (kind === 'Rolling') return `\`towline abort ${name}\` turns back`
      return `\`towline abort ${name}\` turns back, \`towline resume ${name}\` judges it again, \`towline promote ${name} --full\` overrides the judge`
  }
}

/** `bake 1 m 10 s of 5 m 0 s, 418 of at least 200 requests`. */
export function describeBake({ bake }: Pick<RolloutStatus, 'bake'>): string | undefined {
  if (bake === null) return undefined
  const requests = bake.minRequests === 0 ? '' : `, ${bake.requests} of at least ${bake.minRequests} requests`
  if (bake.doneMs === 0) return `waiting for the first evidence${requests}`
  return `${formatMs(Math.min(bake.doneMs, bake.neededMs))} of ${formatMs(bake.neededMs)}${requests}`
}

/** `old p50 12 ms, p99 80 ms; new p50 …`; undefined when neither answered anything in the last minute. */
export function compareLatency(
  { revisions }: Pick<ServiceStatus, 'revisions'>,
  rollout: RolloutStatus,
): string | undefined {
  const words = (['from', 'to'] as const).flatMap((end) => {
    const latency = revisions.find(({ number }) => number === rollout[end])?.latency ?? null
    const who = `revision ${rollout[end]}`
    return latency === null ? [] : [`${who} p50 ${formatMs(latency.p50Ms)}, p99 ${formatMs(latency.p99Ms)}`]
  })
  return words.length === 0 ? undefined : words.join('; ')
}
