import type { Cause, RolloutState } from '../../decide/rollout/state.ts'
import { type RolloutRecord, type ServiceRecord, countDesired } from './records.ts'

interface ServiceChange {
  readonly reason: string
  readonly message: string
}

/** A change of a service's record, in words. */
export function describeChange(before: ServiceRecord, after: ServiceRecord): ServiceChange[] {
  if (after.stopping) return before.stopping ? [] : [{ reason: 'Stopping', message: 'it is taken down' }]
  const changes: ServiceChange[] = []
  const { target, stable } = after
  // A service that is new has no port yet.
  if (before.port === 0) changes.push({ reason: 'Applied', message: `revision ${target} on port ${after.port}` })
  else if (target !== before.target && target !== stable && after.rollout === before.rollout)
    changes.push({ reason: 'Applied', message: `revision ${target} is to replace revision ${stable}` })
  changes.push(...describeRollout(before, after))
  const [from, to] = [countDesired(before), countDesired(after)]
  if (from !== to)
    changes.push({
      reason: 'Scaled',
      message: `from ${from} to ${to} ${to === 1 ? 'replica' : 'replicas'}: ${after.scale?.reason ?? 'the spec says so'}`,
    })
  return changes
}

function describeRollout(before: ServiceRecord, after: ServiceRecord): ServiceChange[] {
  const [old, now] = [before.rollout, after.rollout]
  if (now === null) {
    const ended = after.history.at(-1)
    if (old === null || ended === undefined || ended.id !== old.plan.id) return []
    if (ended.outcome === 'Promoted')
      return [
        { reason: 'Promoted', message: `revision ${ended.to} serves; it took the place of revision ${ended.from}` },
      ]
    return [
      {
        reason: 'RolledBack',
        message: `revision ${ended.from} serves with full capacity; revision ${ended.to} is gone`,
      },
    ]
  }
  if (old?.plan.id !== now.plan.id) return [{ reason: 'RolloutStarted', message: describeStart(now) }]
  return [...describePause(old.state, now.state), ...describePosition(old, now)]
}

function describeStart({ plan }: RolloutRecord): string {
  const way = {
    Rolling: plan.surge === 'Recreate' ? 'after it has ended' : 'one replica at a time',
    Canary: `weights ${[...plan.steps.map(({ weight }) => weight), 100].join(' → ')} %`,
    Switch: 'in one move, once it has full capacity',
  }[plan.kind]
  return `${plan.id}: revision ${plan.stable} → ${plan.candidate}, ${way}`
}

function describePause(before: RolloutState, { pause }: RolloutState): ServiceChange[] {
  if (pause !== null && before.pause?.reason !== pause.reason)
    return [{ reason: 'RolloutPaused', message: `${pause.reason}: ${pause.message}` }]
  if (pause === null && before.pause !== null) return [{ reason: 'RolloutResumed', message: 'it goes on' }]
  return []
}

function describePosition({ state: before }: RolloutRecord, { plan, state }: RolloutRecord): ServiceChange[] {
  const { position } = state
  const step = 'step' in position ? `step ${position.step + 1} of ${plan.steps.length}` : ''
  const isNew = position.phase !== before.position.phase
  switch (position.phase) {
    case 'Shifting':
      return isNew
        ? [
            {
              reason: 'WeightWritten',
              message: `${plan.steps[position.step]?.weight} % to revision ${plan.candidate}, ${step}`,
            },
          ]
        : []
    case 'Baking':
      return isNew ? [{ reason: 'WeightObserved', message: `the requests show it; ${step} is watched` }] : []
    case 'Promoting':
      return isNew
        ? [
            {
              reason: 'Promoting',
              message: `revision ${plan.candidate} grows to full capacity, then takes all requests`,
            },
          ]
        : []
    case 'Aborting':
      return isNew ? [describeAbort(position.cause)] : []
    default:
      return []
  }
}

function describeAbort({ reason, message }: Cause): ServiceChange {
  return { reason: 'Aborting', message: `${reason}: ${message}` }
}
