import { TowlineError } from '../../base/errors.ts'
import type { RolloutStatus, ServiceStatus } from '../../control/api.ts'
import type { ServiceControl } from '../../control/service-control.ts'
import type { EndedRollout } from '../../engine/state/records.ts'
import type { Terminal } from '../term/terminal.ts'
import { type Told, nothingTold, tellEnd, tellRollout } from '../view/rollout-story.ts'
import { describeStep, explainPause } from '../view/rollout-words.ts'

/** Where a person has to be told something, or nothing more will happen by itself. */
export type Outcome =
  /** No rollout goes on, and none is about to; or one without anything to turn back to does not get anywhere. */
  | { readonly kind: 'Calm'; readonly status: ServiceStatus }
  | { readonly kind: 'Ended'; readonly status: ServiceStatus; readonly ended: EndedRollout }
  | { readonly kind: 'Paused'; readonly status: ServiceStatus; readonly rollout: RolloutStatus }
  /** `spec.paused`: a new revision waits, and no rollout begins. */
  | { readonly kind: 'Held'; readonly status: ServiceStatus }

export interface Followed {
  readonly control: Pick<ServiceControl, 'history' | 'place'>
  readonly name: string
  readonly changes: AsyncIterator<ServiceStatus>
  /** What the person knows already; absent: nothing. */
  readonly told?: Told
  /** The rollout that was asked for: on a cluster, what somebody else puts in its place is not what came of it. */
  readonly own?: string | undefined
  /** A row for each thing reached. */
  print(row: string): void
  /** Called at each look while something is waited for. */
  say(status: ServiceStatus): void
}

/**
 * Follows the rollout that goes on or is about to begin. One that a newer spec has taken the place of is no end: that one is
 * followed. Leaves `changes` open, for whatever comes next.
 */
export async function followRollout({ control, name, changes, own, print, say, ...known }: Followed): Promise<Outcome> {
  let { told = nothingTold } = known
  for (;;) {
    const next = await changes.next()
    if (next.done === true) throw new TowlineError('TL_ENGINE_LOST', `it ended while ${name} was followed`)
    const status: ServiceStatus = next.value
    const last = told.rollout
    const look = tellRollout(told, status, Date.now())
    if (last !== null && last.id !== status.rollout?.id) {
      const ended = (await control.history(name)).rollouts.find(({ id }) => id === last.id)
      if (ended === undefined) {
        if (control.place.kind === 'Engine')
          throw new TowlineError('TL_ENGINE_LOST', `it does not know how rollout ${last.id} ended`)
        // A cluster remembers the last one alone.
        if (last.id === own || status.rollout === null) throw explainOvertaken(status)
      }
      if (ended !== undefined) print(tellEnd(ended))
      // A newer spec may have come while it was on its way back.
      if (ended !== undefined && status.rollout === null && !isWaiting(status)) return { kind: 'Ended', status, ended }
    }
    told = look.told
    look.rows.forEach(print)
    const { rollout } = status
    if (rollout !== null) {
      if (rollout.phase === 'Paused') return { kind: 'Paused', status, rollout }
      if (isFailing(status, rollout)) return { kind: 'Calm', status }
      say(status)
    } else if (!isWaiting(status)) return { kind: 'Calm', status }
    else if (status.paused) return { kind: 'Held', status }
  }
}

function explainOvertaken({ name, rollout, revision }: ServiceStatus): TowlineError {
  const now = rollout === null ? `revision ${revision} serves` : `revision ${rollout.to} is on its way`
  return new TowlineError('TL_CLUSTER_CONFLICT', `${now}, and that is not what was asked of ${name}`, {
    hint: `somebody else deploys it, too: \`towline history ${name}\` lists what was done`,
  })
}

/** Nothing serves, and the new revision has been tried in vain. */
function isFailing({ phase, instances }: ServiceStatus, { to, phase: at }: RolloutStatus): boolean {
  const tried = instances.some(({ revision, lastFailure }) => revision === to && lastFailure !== null)
  return phase === 'Failed' && at !== 'Aborting' && tried
}

/** A revision was applied, and its rollout has not begun. */
function isWaiting({ rollout, revisions, phase }: ServiceStatus): boolean {
  return rollout === null && phase !== 'Stopping' && revisions.some(({ role }) => role === 'Candidate')
}

/** On a terminal the whole sentence; in a pipe one line for each phase, or its counts would fill the log. */
export function describeWait(terminal: Pick<Terminal, 'live'>, { rollout, summary }: ServiceStatus): string {
  if (terminal.live || rollout === null) return summary
  const { phase, to } = rollout
  return `revision ${to}: ${[phase.toLowerCase(), describeStep(rollout)].filter(Boolean).join(' at ')}`
}

/**
 * The failure that an outcome is for whoever wanted the new revision; undefined: all is as it should be. A step that waits for
 * a person is what the spec asks for.
 */
export function findFailure(outcome: Outcome, name: string): TowlineError | undefined {
  if (outcome.kind === 'Ended' && outcome.ended.outcome === 'Aborted') {
    const { to, cause } = outcome.ended
    const evidence = `\`towline why ${name}\` shows the evidence`
    const advice = cause?.hint ?? null
    const hint = advice === null ? evidence : `${advice}; ${evidence}`
    const why = cause?.message ?? 'it was taken back'
    const detail = why.includes(`revision ${to}`) ? why : `revision ${to}: ${why}`
    return new TowlineError('TL_ROLLOUT_REJECTED', detail, { hint })
  }
  if (outcome.kind === 'Calm') return outcome.status.phase === 'Failed' ? explainFailed(outcome.status) : undefined
  if (outcome.kind !== 'Paused') return undefined
  const { pause, to } = outcome.rollout
  if (pause === null || pause.reason === 'Manual') return undefined
  return new TowlineError('TL_ROLLOUT_PAUSED', `revision ${to}, ${pause.reason}: ${pause.message}`, {
    hint: explainPause(outcome.rollout, name),
  })
}

export function explainFailed({ lastFailure, summary }: ServiceStatus): TowlineError {
  const hint = lastFailure?.hint ?? null
  return new TowlineError('TL_SERVICE_FAILED', lastFailure?.message ?? summary, hint === null ? {} : { hint })
}
