import { systemClock } from '../base/clock.ts'
import { identifyProcess, isRunning } from '../base/process/process-identity.ts'
import { type EngineClient, isEngine } from '../control/client.ts'
import type { ServiceControl } from '../control/service-control.ts'
import { openProgress } from './term/progress.ts'
import type { Terminal } from './term/terminal.ts'

/** Drains the services and returns when all of them is gone, the engine's process too when it has nothing left to do. */
export async function takeDown(terminal: Terminal, control: ServiceControl, names: readonly string[]): Promise<void> {
  const progress = openProgress(terminal, 'stop', 'draining')
  const removeAll = async (): Promise<void> => {
    await Promise.all(names.map((name) => control.remove(name)))
  }
  try {
    await (isEngine(control) ? leaveEngine(control, names, removeAll) : removeAll())
  } finally {
    progress.end()
  }
}

async function leaveEngine(
  engine: EngineClient,
  names: readonly string[],
  removeAll: () => Promise<void>,
): Promise<void> {
  const { pid, services } = await engine.status()
  const identity = identifyProcess(pid)
  const last = services.every(({ name }) => names.includes(name))
  await removeAll()
  // The last answer comes before the engine's own end; a few seconds are plenty for the rest.
  const limitMs = systemClock.monotonicMs() + 10_000
  const hasEnded = (): boolean => !last || identity === undefined || !isRunning(identity)
  while (!hasEnded() && systemClock.monotonicMs() < limitMs) await systemClock.sleep(20)
}
