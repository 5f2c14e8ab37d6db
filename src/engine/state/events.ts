import type { Clock } from '../../base/clock.ts'
import type { Store } from '../../store/store.ts'
import type { Saver } from './saver.ts'

/** What happened, for people who ask why something is as it is. Nothing is decided by it. */
export interface EngineEvent {
  readonly atMs: number
  /** Null: it concerns all of them. */
  readonly service: string | null
  readonly replica: string | null
  /** CamelCase word: Applied, Started, Ready, Unready, Draining, Killed, Ended, Scaled, Rejected, or the reason of a failure. */
  readonly reason: string
  readonly message: string
}

export interface EventLog {
  note(event: Omit<EngineEvent, 'atMs'>): void
  /** The last `count` of one service and of what all share, oldest first. */
  list(service: string, count: number): EngineEvent[]
  /** With its service. */
  forget(service: string): void
}

/** Of each service; a replica that fails for ever, with its restarts ever rarer, leaves some hundred a day. */
const keptEvents = 500

export function createEventLog(store: Store, saver: Saver, clock: Clock): EventLog {
  const listOf = (service: string | null): string => (service === null ? 'event' : `event ${service}`)
  const read = (service: string | null, count: number) => store.tail(listOf(service), count) as EngineEvent[] // our own
  let written = 0
  return {
    note: (event) => {
      const value: EngineEvent = { atMs: clock.nowMs(), ...event }
      saver.save(`event ${written++}`, () => store.append(listOf(event.service), value, keptEvents))
    },
    list: (service, count) =>
      [...read(service, count), ...read(null, count)].toSorted((a, b) => a.atMs - b.atMs).slice(-count),
    forget: (service) => saver.save(`events of ${service}`, () => store.clear(listOf(service))),
  }
}
