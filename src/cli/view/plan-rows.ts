import { formatMs } from '../../base/display.ts'
import type { PlanStatus } from '../../control/api.ts'
import type { Power } from '../../decide/judge/power.ts'
import { formatShare } from '../../decide/rollout/cause.ts'
import type { PlannedEvidence, PlannedRollout } from '../../engine/rollout/plan-report.ts'
import { renderRow } from '../term/layout.ts'
import { describeModelChange } from './rollout-words.ts'

type Planned = PlannedEvidence['metrics'][number]

/** What the present traffic can show of one metric. */
export type PlannedPower = Pick<Planned, 'metric' | 'isNew'> & {
  readonly stableShare: number
  readonly power: Power
}

/** What `up` would do, the answer first. */
export function renderPlan(plan: PlanStatus, powers: readonly PlannedPower[], nowMs: number): string[] {
  const { rollout, supersedes, rejection, paused, change } = plan
  return [
    renderRow('plan', describeChange(plan)),
    ...(rejection === null
      ? []
      : [renderRow('refused', `${rejection.message}${rejection.hint === null ? '' : ` (${rejection.hint})`}`)]),
    ...plan.fields.map(({ path, from, to, replaces }) =>
      renderRow('', `${path} ${from ?? 'absent'} → ${to ?? 'absent'}   ${replaces ? 'new replicas' : 'in place'}`),
    ),
    ...renderReplicas(plan),
    ...(supersedes === null
      ? []
      : [renderRow('first', `the rollout of revision ${supersedes}, which goes on, is turned back`)]),
    ...(change === 'Revision' && paused
      ? [renderRow('waits', 'spec.paused is true: the rollout begins once it is false')]
      : []),
    ...renderGate(plan.gate, nowMs),
    ...(rollout === null ? [] : renderRollout(plan, rollout, powers)),
  ]
}

function describeChange({ name, change, revision: { from, to }, model, goesOn }: PlanStatus): string {
  const models = describeModelChange(model.from ?? undefined, model.to)
  switch (change) {
    case 'New':
      return `${name}: new   ${models}`
    case 'Nothing':
      return `${name}: nothing changes, revision ${from} serves   ${models}`
    case 'InPlace':
      return `${name}: revision ${from} stays, changed in place   ${models}`
    case 'Rejected':
      return `${name}: would be refused, revision ${from} serves   ${models}`
    case 'Revision':
      return `${name}: revision ${from} → ${to}${goesOn ? ', which goes on already' : ''}   ${models}`
  }
}

function renderGate(gate: PlanStatus['gate'], nowMs: number): string[] {
  if (gate === null) return []
  if (!gate.passed) return gate.missing.map(({ why }) => renderRow('gate', `closed: ${why}`))
  return gate.by.map(({ environment, atMs, checks }) => {
    const what = checks.map(({ name, passed }) => `${name} ${passed ? '✓' : '✗'}`).join(', ')
    return renderRow('gate', `${environment} passed this model ${formatMs(Math.max(0, nowMs - atMs))} ago (${what})`)
  })
}

function renderReplicas({ replicas: { from, to } }: PlanStatus): string[] {
  if (from === to) return []
  return [renderRow('replicas', from === null ? String(to) : `${from} → ${to}   in place`)]
}

function renderRollout({ replicas }: PlanStatus, rollout: PlannedRollout, powers: readonly PlannedPower[]): string[] {
  const { kind, steps, bakeMs, minRequests, evidence } = rollout
  const told = steps.map(({ weight, bakeMs: stepMs, manual }) => {
    const until = manual ? 'until a person promotes it' : `for at least ${formatMs(stepMs)} and ${minRequests} requests`
    return renderRow(`${weight} %`, `of the requests, ${until}`)
  })
  return [
    renderRow('capacity', describeCapacity(rollout, replicas.to)),
    ...told,
    ...(kind === 'Canary' ? [renderRow('100 %', `for ${formatMs(bakeMs)}, the old revision stands by`)] : []),
    ...(evidence === null
      ? [renderRow('judge', 'nothing is compared: without rollout.steps only readiness and smoke requests decide')]
      : renderEvidence(rollout, evidence, powers)),
  ]
}

/** Where the new replicas find room, and what that costs callers. */
function describeCapacity({ kind, surge }: PlannedRollout, replicas: number): string {
  if (surge === 'Recreate')
    return `surge Recreate: all ${replicas} end before new ones start; requests are held meanwhile and may be turned away`
  if (surge === 'Swap') {
    const gone =
      replicas <= 1 ? 'the only replica ends before the new one starts: downtime' : '0 requests lost expected'
    return `surge Swap: in the place of the old ones, one replica less meanwhile; ${gone}`
  }
  const way = kind === 'Canary' ? 'beside the old ones, which keep their number' : '1 replica at a time'
  return `${way}, 0 requests lost expected`
}

function renderEvidence(
  rollout: PlannedRollout,
  { requestsPerMinute, leastMs }: PlannedEvidence,
  powers: readonly PlannedPower[],
): string[] {
  if (requestsPerMinute === 0)
    return [
      renderRow(
        'warning',
        'no request came in the last minute: silence never passes, so the rollout would pause at its first step',
      ),
    ]
  const least = leastMs === null ? 'it would not end' : `the steps take at least ${formatMs(leastMs)}`
  return [
    renderRow('traffic', `${requestsPerMinute} requests in the last minute; with as many ${least}`),
    ...powers.flatMap((power) => renderMetric(power, rollout)),
  ]
}

/** A judge that sees only what is many times worse than tolerated protects little. */
const weakTimes = 3

function renderMetric({ metric, isNew, stableShare, power }: PlannedPower, { maxTimeMs }: PlannedRollout): string[] {
  const what = metric === 'Errors' ? 'errors' : 'slow answers'
  const { bound, smallestShown, healthy } = power
  const now = isNew ? 'not known of the old revision' : `${formatShare(stableShare)} now`
  const time = `within ${formatMs(maxTimeMs)}`
  const shown =
    smallestShown === null
      ? `no defect can be shown ${time}`
      : `from ${formatShare(smallestShown.share)} on a defect is shown ${time}`
  const isWeak = smallestShown === null || smallestShown.timesBound === null || smallestShown.timesBound > weakTimes
  const proof =
    healthy.medianMs === null
      ? [
          renderRow(
            'warning',
            `${what}: a good revision cannot be proven ${time}, the rollout would end undecided; more traffic, a larger weight, a higher floor or a longer analysis.maxTime help`,
          ),
        ]
      : []
  const proven = healthy.medianMs === null ? '' : `, a good one is proven in about ${formatMs(healthy.medianMs)}`
  return [
    renderRow('judge', `${what}: ${now}, tolerated at most ${formatShare(bound)}; ${shown}${proven}`),
    ...(isWeak
      ? [
          renderRow(
            'warning',
            `${what}: with this traffic only what is more than ${weakTimes} times worse than tolerated is found`,
          ),
        ]
      : []),
    ...proof,
  ]
}
