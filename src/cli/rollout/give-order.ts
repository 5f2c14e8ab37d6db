import { findService } from '../../control/find-service.ts'
import type { ServiceControl } from '../../control/service-control.ts'
import type { OrderAnswer, ServiceOrder, ServiceStatus } from '../../control/api.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { type Outcome, describeWait, findFailure, followRollout } from './follow-rollout.ts'
import { useControl } from '../place.ts'
import type { PlaceFlags } from '../place-flags.ts'
import { renderRow } from '../term/layout.ts'
import { openProgress } from '../term/progress.ts'
import type { Terminal } from '../term/terminal.ts'
import { nothingTold, tellRollout } from '../view/rollout-story.ts'
import { explainPause } from '../view/rollout-words.ts'

export interface OrderFlags extends PlaceFlags {
  readonly json: boolean
}

export interface FollowedOrderFlags extends OrderFlags {
  readonly wait: boolean
}

export interface Ordered {
  readonly order: ServiceOrder
  /** In one word, and what it does, once it was carried out. */
  readonly label: string
  readonly done: string
}

/** What a command sees before it says anything. */
export interface Seen {
  readonly control: ServiceControl
  readonly service: ServiceStatus
  /** The rollout that a person who asked now would mean: the one that goes on, else the last one; null: there was none. */
  readonly plan: string | null
}

/** `work` on a service as it is now. */
export async function useService<T>(
  context: CliContext,
  flags: PlaceFlags,
  name: string,
  work: (seen: Seen) => Promise<T>,
): Promise<T> {
  return useControl(context, flags, async (control) => {
    const service = findService(await control.services(name), name)
    const { rollout } = service
    // An order about one that has ended does nothing to one that began in the meantime.
    const plan = rollout === null ? ((await control.history(name)).rollouts.at(-1)?.id ?? null) : rollout.id
    return work({ control, service, plan })
  })
}

/** Gives the order and prints one line: what happened, or why there was nothing to do. */
export async function giveOrder(
  { terminal }: CliContext,
  { control, service: { name } }: Seen,
  { json }: OrderFlags,
  { order, label, done }: Ordered,
): Promise<OrderAnswer> {
  const answer = await control.order(name, order)
  if (!json) terminal.out(answer.nothing === null ? renderRow(label, done) : renderRow('nothing', answer.nothing))
  if (answer.note !== undefined) terminal.err(renderRow('note', answer.note))
  return answer
}

/** An order, and what comes of it; undefined when nobody waited. Throws when that is not what was wanted. */
export async function giveAndFollow(
  context: CliContext,
  seen: Seen,
  flags: FollowedOrderFlags,
  ordered: Ordered,
): Promise<Outcome | undefined> {
  const { terminal } = context
  const answer = await giveOrder(context, seen, flags, ordered)
  const outcome =
    flags.wait && answer.nothing === null
      ? await follow(terminal, seen, { json: flags.json, label: ordered.label, own: answer.status.rollout?.id })
      : undefined
  if (flags.json) terminal.out(JSON.stringify({ ...answer, ...describeOutcome(outcome) }, undefined, 2))
  if (outcome === undefined) return undefined
  const failure = findFailure(outcome, seen.service.name)
  if (failure !== undefined && !isWanted(ordered.order, outcome)) throw failure
  return outcome
}

/** Undefined when it was left: it goes on. */
async function follow(
  terminal: Terminal,
  { control, service }: Seen,
  { json, label, own }: { readonly json: boolean; readonly label: string; readonly own: string | undefined },
): Promise<Outcome | undefined> {
  const { name } = service
  const interrupt = openInterrupt(terminal, 'waiting')
  const progress = openProgress(terminal, label, name)
  const print = (row: string): void => {
    progress.clear()
    if (!json) terminal.out(row)
  }
  const changes = control.watch(name, interrupt.signal)
  try {
    const outcome = await followRollout({
      control,
      name,
      changes,
      own,
      told: tellRollout(nothingTold, service, Date.now()).told,
      print,
      say: (status) => progress.say(describeWait(terminal, status)),
    })
    progress.end()
    if (outcome.kind === 'Paused') print(renderRow('to go on', explainPause(outcome.rollout, name)))
    if (outcome.kind === 'Held' || outcome.kind === 'Calm')
      print(renderRow(outcome.status.phase.toLowerCase(), `${name}: ${outcome.status.summary}`))
    return outcome
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    progress.end()
    print(renderRow('going on', `nothing was stopped; \`towline status ${name}\` shows it`))
    return undefined
  } finally {
    progress.end()
    interrupt.close()
    await changes.return(undefined).catch(() => undefined)
  }
}

/** Who aborts wants the abort. */
function isWanted({ verb }: ServiceOrder, outcome: Outcome): boolean {
  return verb === 'Abort' && outcome.kind === 'Ended'
}

function describeOutcome(outcome: Outcome | undefined): object {
  if (outcome === undefined) return {}
  const { kind, status } = outcome
  return { outcome: kind, ...(kind === 'Ended' ? { ended: outcome.ended } : {}), status }
}
