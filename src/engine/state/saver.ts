import type { Logger } from 'pino'
import { TowlineError } from '../../base/errors.ts'

/**
 * Writes of what the engine observed. A full disk must not stop supervision: such a write is kept and tried again, the
 * latest for each key. Bugs pass through.
 */
export interface Saver {
  save(key: string, write: () => void): void
  retry(nowMs: number): void
}

const retryMs = 1000

export function createSaver(log: Logger): Saver {
  const owed = new Map<string, () => void>()
  let nextMs = 0
  const attempt = (key: string, write: () => void): void => {
    try {
      write()
      owed.delete(key)
    } catch (error) {
      if (!(error instanceof TowlineError)) throw error
      if (!owed.has(key)) log.error({ err: error, key }, 'the state could not be written; it is tried again')
      owed.set(key, write)
    }
  }
  return {
    save: attempt,
    retry(nowMs) {
      if (owed.size === 0 || nowMs < nextMs) return
      nextMs = nowMs + retryMs
      // A copy: what fails again goes back to the end of the original.
      for (const [key, write] of new Map(owed)) attempt(key, write)
    },
  }
}
