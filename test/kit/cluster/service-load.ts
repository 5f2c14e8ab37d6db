import type { TestContext } from 'node:test'
import { startOpenLoad } from '../open-load.ts'
import { lookUntil } from './real-service.ts'

export interface ServiceLoad {
  /** So far. */
  readonly failed: number
  /** What each request came back with, counted: only `ok` when all went well. */
  stop(): Promise<Readonly<Record<string, number>>>
}

interface LoadOptions {
  /** Default: 60. */
  readonly ratePerSecond?: number
  /** A connection to a pod that is gone hears nothing at all. Default: 10 s, far longer than an answer takes. */
  readonly timeoutMs?: number
}

const callers = 3

/**
 * Requests of a few callers, none tried again. kube-proxy chooses a pod for each new connection: a caller's kept ones stay with theirs
 * until it ends, and every other request makes a new one. Begins once the service answers.
 */
export async function startServiceLoad(
  t: TestContext,
  url: string,
  body: unknown,
  { ratePerSecond = 60, timeoutMs = 10_000 }: LoadOptions = {},
): Promise<ServiceLoad> {
  const headers = { 'content-type': 'application/json' }
  const ask = async (): Promise<boolean> => {
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined)
    return answer?.ok === true
  }
  await lookUntil(`${url} answers`, ask)
  const options = { ratePerSecond: ratePerSecond / callers, timeoutMs }
  const loads = Array.from({ length: callers }, () => startOpenLoad(t, url, body, options))
  return {
    get failed() {
      return loads.reduce((sum, { failed }) => sum + failed, 0)
    },
    async stop() {
      const total: Record<string, number> = {}
      for (const counts of await Promise.all(loads.map((load) => load.stop())))
        for (const [result, count] of Object.entries(counts)) total[result] = (total[result] ?? 0) + count
      return total
    },
  }
}
