import { setTimeout as sleepFor } from 'node:timers/promises'

/** Time as a parameter. Pure code takes plain numbers; what waits takes a `Clock`. */
export interface Clock {
  /** Wall clock, milliseconds since 1970: for records people read. */
  nowMs(): number
  /** Never goes back and stands still while the machine sleeps: for measuring and for leases. */
  monotonicMs(): number
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await sleepFor(ms, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}
