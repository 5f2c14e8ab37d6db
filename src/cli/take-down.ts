import { systemClock } from '../base/clock.ts'
import { identifyProcess, isRunning } from '../base/process/process-identity.ts'
import type { EngineClient } from '../control/client.ts'
import { openProgress } from './term/progress.ts'
import type { Terminal } from './term/terminal.ts'

/** Drains the services and returns when all their processes are gone, the engine's too when it has nothing left to do. */
export async function takeDown(terminal: Terminal, engine: EngineClient, names: readonly string[]): Promise<void> {
  const progress = openProgress(terminal, 'stop', 'draining')
  try {
    const { pid, services } = await engine.status()
    const identity = identifyProcess(pid)
    const last = services.every(({ name }) => names.includes(name))
    await Promise.all(names.map((name) => engine.remove(name)))
    // The last answer comes before the engine's own end; a few seconds are plenty for the rest.
    const limitMs = systemClock.monotonicMs() + 10_000
    const hasEnded = (): boolean => !last || identity === undefined || !isRunning(identity)
    while (!hasEnded() && systemClock.monotonicMs() < limitMs) await systemClock.sleep(20)
  } finally {
    progress.end()
  }
}
