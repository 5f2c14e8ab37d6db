import { formatMs } from '../../base/display.ts'
import type { RolloutStatus, ServiceStatus } from '../../control/api.ts'
import type { EndedRollout } from '../../engine/state/records.ts'
import { renderRow } from '../term/layout.ts'
import {
  describeMetric,
  describeModelChange,
  describeStep,
  describeVerdict,
  describeWay,
  describeWeight,
} from './rollout-words.ts'

/** How far a rollout has been told: each thing that is reached is one row, once. Plain data, so that looks can be missed. */
export interface Told {
  /** As it was seen last; null: none goes on. */
  readonly rollout: RolloutStatus | null
  readonly ready: boolean
  /** Totals of the judge when the present step began. */
  readonly before: Totals
}

type Totals = NonNullable<RolloutStatus['analysis']>['totals']

const none = { requests: 0, errors: 0, slow: 0 }
export const nothingTold: Told = { rollout: null, ready: false, before: { candidate: none, stable: none } }

/** The rows that this look adds. How a rollout ended is told by `tellEnd`, which needs the history. */
export function tellRollout(
  told: Told,
  service: ServiceStatus,
  nowMs: number,
): { readonly told: Told; readonly rows: readonly string[] } {
  const { rollout } = service
  if (rollout === null) return { told: { ...told, rollout: null }, rows: [] }
  const isNew = told.rollout?.id !== rollout.id
  const last = isNew ? { ...nothingTold, before: totalsOf(rollout) } : told
  const isReady = rollout.candidate.ready > 0 && rollout.phase !== 'Aborting'
  const leaves = !isNew && last.rollout !== null && last.rollout.step !== null && last.rollout.step !== rollout.step
  const rows = [
    ...(isNew ? [renderRow('plan', describePlan(service, rollout))] : []),
    ...(isReady && !last.ready && !isNew ? [renderRow(`revision ${rollout.to}`, describeReady(rollout, nowMs))] : []),
    ...(leaves && last.rollout !== null ? tellStep(last.rollout, rollout, last.before) : []),
    ...tellVerdict(last.rollout, rollout),
    ...tellPause(last.rollout, rollout),
    ...(rollout.phase === 'Aborting' && last.rollout?.phase !== 'Aborting' && rollout.cause !== null
      ? // The sentence with the numbers comes last, as the error: nothing after it scrolls it away.
        [renderRow('abort', `${rollout.cause.reason}, back to revision ${rollout.from}`)]
      : []),
  ]
  const before = leaves ? totalsOf(rollout) : last.before
  return { told: { rollout, ready: last.ready || isReady, before }, rows }
}

export function describePlan(
  { name, revisions }: Pick<ServiceStatus, 'name' | 'revisions'>,
  rollout: RolloutStatus,
): string {
  const { from, to } = rollout
  const digestOf = (wanted: number): string | undefined =>
    revisions.find(({ number }) => number === wanted)?.modelDigest
  return `${name}: revision ${from} → ${to}   ${describeModelChange(digestOf(from), digestOf(to))}   ${describeWay(rollout)}`
}

function describeReady({ candidate, startedAtMs }: RolloutStatus, nowMs: number): string {
  return `${candidate.ready}/${candidate.wanted} ready in ${formatMs(Math.max(0, nowMs - startedAtMs))}`
}

/** The weight and what came of it, once the rollout has left the step. The judge's numbers of the last look count too. */
function tellStep(then: RolloutStatus, now: RolloutStatus, before: Totals): string[] {
  const weight = then.step === null ? undefined : then.weights[then.step - 1]
  if (weight === undefined) return []
  const { candidate, stable } = totalsOf(now)
  const [news, olds] = [subtract(candidate, before.candidate), subtract(stable, before.stable)]
  const seen = `${news.requests} requests   errors ${news.errors}   slow ${news.slow} (stable: errors ${olds.errors}, slow ${olds.slow} of ${olds.requests})`
  return [
    renderRow(
      `${weight} %`,
      [describeWeight(then), news.requests === 0 ? undefined : seen].filter(Boolean).join('   '),
    ),
  ]
}

function tellVerdict(then: RolloutStatus | null, { analysis }: RolloutStatus): string[] {
  if (analysis === null || (analysis.verdict !== 'Pass' && analysis.verdict !== 'Fail')) return []
  if (then?.analysis?.verdict === analysis.verdict) return []
  return [
    renderRow('judge', describeVerdict(analysis)),
    ...analysis.metrics.map((metric) => renderRow('', describeMetric(metric))),
  ]
}

function tellPause(then: RolloutStatus | null, rollout: RolloutStatus): string[] {
  const { pause } = rollout
  if (pause === null) {
    const goesOn = then !== null && then.pause !== null && rollout.phase !== 'Aborting'
    return goesOn ? [renderRow('resumed', 'the rollout goes on')] : []
  }
  if (then?.pause?.sinceMs === pause.sinceMs) return []
  const at = describeStep(rollout)
  return [renderRow('paused', `${at === undefined ? '' : `at ${at}, `}${pause.reason}: ${pause.message}`)]
}

/** The last row. */
export function tellEnd({ outcome, from, to, startedAtMs, endedAtMs }: EndedRollout): string {
  const took = formatMs(endedAtMs - startedAtMs)
  return outcome === 'Promoted'
    ? renderRow('promoted', `revision ${to} serves; it took the place of revision ${from} in ${took}`)
    : renderRow(
        'turned back',
        `revision ${from} serves with full capacity, revision ${to} was stopped after draining, ${took} after it began`,
      )
}

function totalsOf({ analysis }: RolloutStatus): Totals {
  return analysis?.totals ?? nothingTold.before
}

/** A rollout that is judged again after a pause begins at nothing. */
function subtract(after: Totals['stable'], before: Totals['stable']): Totals['stable'] {
  return {
    requests: Math.max(0, after.requests - before.requests),
    errors: Math.max(0, after.errors - before.errors),
    slow: Math.max(0, after.slow - before.slow),
  }
}
