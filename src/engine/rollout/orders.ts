import { TowlineError } from '../../base/errors.ts'
import { newShortId } from '../../base/id.ts'
import { planRollout } from '../../decide/rollout/begin.ts'
import { type RolloutOrder, takeOrder } from '../../decide/rollout/order.ts'
import { startRollout } from '../../decide/rollout/step.ts'
import { nextNumber } from '../apply.ts'
import { type RevisionRecord, type ServiceRecord, countDesired, findRevision } from '../state/records.ts'

/** What a person tells a service about its revisions. */
export type ServiceOrder =
  /** `plan`: the rollout it is meant for; null: whichever goes on. */
  | (RolloutOrder & { readonly plan: string | null })
  /** `from`: the revision that served when it was asked; null: whichever does. `to`: null: the one before. */
  | { readonly verb: 'Rollback'; readonly from: number | null; readonly to: number | null }
  | { readonly verb: 'Retry' }
  | { readonly verb: 'Restart' }

export type OrderEffect =
  | { readonly kind: 'Change'; readonly change: Partial<ServiceRecord> }
  | { readonly kind: 'Nothing'; readonly why: string }

/** TL_ROLLOUT_REFUSED where it cannot be done; nothing where it is so already. */
export function orderService(record: ServiceRecord, order: ServiceOrder, nowMs: number): OrderEffect {
  switch (order.verb) {
    case 'Rollback':
      return rollBack(record, order, nowMs)
    case 'Retry':
      return retry(record, nowMs)
    case 'Restart':
      return restart(record, nowMs)
    default:
      return orderRollout(record, order, nowMs)
  }
}

function orderRollout(
  record: ServiceRecord,
  order: RolloutOrder & { readonly plan: string | null },
  nowMs: number,
): OrderEffect {
  const { rollout, history } = record
  if (rollout === null || (order.plan !== null && order.plan !== rollout.plan.id)) {
    const last = history.findLast(({ id }) => order.plan === null || id === order.plan)
    const how =
      last === undefined
        ? 'there has been none'
        : `the last one, to revision ${last.to}, was ${last.outcome.toLowerCase()}`
    const none = order.plan === null ? 'no rollout is going on' : `the rollout ${order.plan} is over`
    const isSo = last?.outcome === (order.verb === 'Promote' ? 'Promoted' : 'Aborted')
    if (order.verb === 'Abort' || (order.verb === 'Promote' && isSo)) return { kind: 'Nothing', why: `${none}; ${how}` }
    throw refuse(`${none}; ${how}`, `\`towline history ${record.name}\` lists them`)
  }
  const result = takeOrder(rollout.plan, rollout.state, order, nowMs)
  if (result.kind === 'Refused') throw refuse(result.why, result.hint)
  if (result.kind === 'Nothing') return result
  return { kind: 'Change', change: { rollout: { ...rollout, state: result.state } } }
}

function rollBack(
  record: ServiceRecord,
  { from, to }: Extract<ServiceOrder, { verb: 'Rollback' }>,
  nowMs: number,
): OrderEffect {
  const { rollout, stable, revisions, rejected, name } = record
  if (rollout !== null) {
    const { candidate } = rollout.plan
    // Said twice: the second time must not turn round what the first one began.
    const isOnItsWay = findRevision(record, candidate).proven && (to === null || to === candidate)
    if (isOnItsWay) return { kind: 'Nothing', why: `it is on its way back to revision ${candidate}` }
    if (to !== null && to !== rollout.plan.stable)
      throw refuse(
        `a rollout is going on, and its abort ends at revision ${rollout.plan.stable}, not ${to}`,
        `\`towline abort ${name}\` first`,
      )
    return orderRollout(record, { verb: 'Abort', plan: null }, nowMs)
  }
  if (from !== null && from !== stable) return { kind: 'Nothing', why: `revision ${stable} serves already` }
  if (to === stable) return { kind: 'Nothing', why: `revision ${stable} serves already` }
  const kept = revisions.filter(({ number, proven }) => proven && number !== stable)
  const earlier = kept.filter(({ number }) => number < stable && number !== rejected?.revision)
  const goal = to === null ? earlier.at(-1) : kept.find(({ number }) => number === to)
  if (goal === undefined) {
    const known = kept.map(({ number }) => number).join(', ')
    throw refuse(
      to === null ? `${name} has no earlier revision that has served` : `${name} has no revision ${to} that has served`,
      known === '' ? 'rollout.revisionHistoryLimit says how many are kept' : `kept are ${known}`,
    )
  }
  const message = `revision ${stable} was rolled back by hand`
  const given = findRevision(record, stable)
  const cause = { reason: 'ByHand', message, hint: `\`towline retry ${name}\` begins it again` } as const
  return {
    kind: 'Change',
    change: {
      ...begin(record, goal, 'Rollback', nowMs),
      rejected: { revision: stable, hash: given.hash, cause, atMs: nowMs },
    },
  }
}

function retry(record: ServiceRecord, nowMs: number): OrderEffect {
  const { rejected, rollout, revisions } = record
  if (rollout?.state.pause?.reason === 'Failed') return orderRollout(record, { verb: 'Resume', plan: null }, nowMs)
  if (rollout !== null) return { kind: 'Nothing', why: `the rollout to revision ${rollout.plan.candidate} is going on` }
  if (rejected === null) throw refuse('nothing was rejected', '`towline up` applies a changed spec')
  const number = nextNumber(record)
  const again: RevisionRecord = {
    ...findRevision(record, rejected.revision),
    number,
    proven: false,
    createdAtMs: nowMs,
  }
  return {
    kind: 'Change',
    change: { target: number, revisions: [...revisions, again], rejected: null, lastFailure: null },
  }
}

/** The same spec as a new revision: its replicas replace the present ones, and nothing is judged. */
function restart(record: ServiceRecord, nowMs: number): OrderEffect {
  const { rollout, stable, target, revisions } = record
  if (rollout !== null || target !== stable)
    throw refuse(
      `revision ${target} is about to replace revision ${stable}, with new replicas`,
      `wait for it, or \`towline abort ${record.name}\``,
    )
  const number = nextNumber(record)
  const again: RevisionRecord = { ...findRevision(record, stable), number, proven: false, createdAtMs: nowMs }
  const begun = begin({ ...record, revisions: [...revisions, again] }, again, 'Restart', nowMs)
  return { kind: 'Change', change: { ...begun, revisions: [...revisions, again] } }
}

function begin(
  record: ServiceRecord,
  goal: RevisionRecord,
  reason: 'Restart' | 'Rollback',
  nowMs: number,
): Pick<ServiceRecord, 'target' | 'rollout' | 'lastFailure'> {
  const plan = planRollout({
    id: `plan-${newShortId()}`,
    reason,
    rollout: record.applied.rollout,
    stable: record.stable,
    candidate: goal.number,
    replicas: countDesired(record),
    stableProven: findRevision(record, record.stable).proven,
  })
  const rollout = { plan, state: startRollout(plan, nowMs), startedAtMs: nowMs }
  return { target: goal.number, rollout, lastFailure: null }
}

function refuse(detail: string, hint: string): TowlineError {
  return new TowlineError('TL_ROLLOUT_REFUSED', detail, { hint })
}
