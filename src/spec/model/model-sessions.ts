import type { Service } from '../service.ts'

export interface ModelSessions {
  /** Sessions, each on a thread of its own. */
  readonly workers: number
  /** Threads inside each session. */
  readonly threadsPerWorker: number
}

/** Asked for threads: one session that has them. Otherwise a session of one thread for each whole core. */
export function planSessions({ runtime, resources }: Pick<Service, 'runtime' | 'resources'>): ModelSessions {
  const { threads } = runtime
  return {
    workers: threads > 0 ? 1 : Math.max(1, Math.floor(resources.cpuMillis / 1000)),
    threadsPerWorker: Math.max(1, threads),
  }
}
