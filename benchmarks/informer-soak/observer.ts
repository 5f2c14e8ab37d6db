import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { beside } from '../../src/base/process/beside.ts'
import type { Look, ObserverOrder, ObserverSettings } from './look.ts'

export interface Observer {
  look(): Promise<Look>
  drain(): Promise<Look>
  /** Closes the informers; false when the process had to be killed, since something kept it alive. */
  end(): Promise<boolean>
}

const endMs = 10_000

/** Starts the process of the informers; resolves once both are synced. */
export async function startObserver(settings: ObserverSettings): Promise<Observer> {
  const program = beside(import.meta.url, '../informer-soak-process')
  const child = fork(program, [JSON.stringify(settings)], { serialization: 'json' })
  const ended = once(child, 'exit')
  const early = ended.then(([code]) => {
    throw new Error(`the informers ended by themselves with ${String(code)}`)
  })
  early.catch(() => {})
  const hear = async (): Promise<unknown> => ((await Promise.race([once(child, 'message'), early])) as unknown[])[0]
  const ask = async (order: ObserverOrder): Promise<Look> => {
    const answer = hear()
    child.send(order)
    return (await answer) as Look // sent by `informer-soak-process.ts`
  }
  await hear()
  return {
    look: () => ask('Look'),
    drain: () => ask('Drain'),
    end: async () => {
      if (hasEnded(child)) return false
      child.send('End' satisfies ObserverOrder)
      const timer = setTimeout(() => child.kill('SIGKILL'), endMs)
      await ended
      clearTimeout(timer)
      return child.exitCode === 0
    },
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
