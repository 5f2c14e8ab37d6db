import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import { KubeFailure } from '../http/failure.ts'
import type { KubeClient } from '../kube-client.ts'
import type { KubeObject } from '../object.ts'
import type { Outcome } from './next-step.ts'
import { type WatchEvent, readEvent } from './watch-event.ts'
import { LineTooLong, splitLines } from './watch-lines.ts'

/** What arrived, other than an ending. */
export type Arrival<T> = Extract<WatchEvent<T>, { readonly resourceVersion: string }>

/** `error`: what was thrown, for messages. */
export interface Ending {
  readonly outcome: Outcome
  readonly error?: unknown
}

export interface Watch<T> {
  readonly client: Pick<KubeClient, 'stream'>
  /** With its query. */
  readonly path: string
  /** A server sends a bookmark each minute: a watch that is silent for longer is dead, whatever its connection says. */
  readonly idleMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Awaited before the next line is read, so that a slow one slows the server down. Its time is no silence. */
  readonly onArrival: (arrival: Arrival<T>) => Promise<void>
}

/** One watch until its end, and why it ended. Throws the signal's reason, and bugs. */
export async function runWatch<T extends KubeObject>(watch: Watch<T>): Promise<Ending> {
  const { client, path, idleMs, clock, signal, onArrival } = watch
  const over = new AbortController()
  const silence = new AbortController()
  const pulse = { heardAtMs: clock.monotonicMs(), isBusy: false }
  const guard = guardSilence(pulse, idleMs, clock, AbortSignal.any([signal, over.signal]), silence)
  try {
    const chunks = await client.stream(path, AbortSignal.any([signal, silence.signal]))
    for await (const line of splitLines(heard(chunks, pulse, clock))) {
      const event = readEvent<T>(line)
      if (event.kind === 'Malformed') return { outcome: event }
      if (event.kind === 'Failed')
        return { outcome: refused(event.status, event.body.details?.retryAfterSeconds), error: event.body.message }
      pulse.isBusy = true
      await onArrival(event)
      pulse.isBusy = false
      pulse.heardAtMs = clock.monotonicMs()
    }
    return { outcome: { kind: 'Ended' } }
  } catch (error) {
    signal.throwIfAborted()
    if (silence.signal.aborted && error === silence.signal.reason) return { outcome: { kind: 'Silent' } }
    return { outcome: outcomeOf(error), error }
  } finally {
    over.abort()
    await guard
  }
}

/** How a failure of a list or of the start of a watch counts. Bugs are thrown. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof LineTooLong) return { kind: 'Malformed' }
  if (error instanceof KubeFailure) return refused(error.status, error.body.details?.retryAfterSeconds)
  if (error instanceof TowlineError) return { kind: 'Broken' }
  throw error
}

function refused(status: number, retryAfterSeconds: number | undefined): Outcome {
  return { kind: 'Refused', status, retryAfterMs: (retryAfterSeconds ?? 0) * 1000 }
}

interface Pulse {
  heardAtMs: number
  isBusy: boolean
}

async function* heard(chunks: AsyncIterable<Uint8Array>, pulse: Pulse, clock: Clock): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    pulse.heardAtMs = clock.monotonicMs()
    yield chunk
  }
}

async function guardSilence(
  pulse: Readonly<Pulse>,
  idleMs: number,
  clock: Clock,
  signal: AbortSignal,
  silence: AbortController,
): Promise<void> {
  try {
    for (;;) {
      const leftMs = pulse.isBusy ? idleMs : pulse.heardAtMs + idleMs - clock.monotonicMs()
      if (leftMs <= 0) return silence.abort(new Error('the watch is silent'))
      await clock.sleep(leftMs, signal)
    }
  } catch {
    // The watch is over.
  }
}
