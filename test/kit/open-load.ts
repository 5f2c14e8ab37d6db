import { Agent, request as startRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'node:test'

export interface OpenLoad {
  readonly answered: number
  /** So far. */
  readonly failed: number
  /** Waits for what was sent; what each request came back with, counted: only `ok` when all went well. */
  stop(): Promise<Record<string, number>>
}

interface LoadOptions {
  readonly ratePerSecond: number
  readonly timeoutMs?: number
  /** Blanks before the body until it is so long. */
  readonly padToBytes?: number
}

/**
 * Requests at fixed times, whether or not earlier ones were answered: half of them on kept connections, half on new ones.
 * A request that meets a closing door counts as failed, so nothing here tries again.
 */
export function startOpenLoad(t: TestContext, url: string, body: unknown, options: LoadOptions): OpenLoad {
  const { ratePerSecond, timeoutMs = 20_000, padToBytes = 0 } = options
  const text = JSON.stringify(body).padStart(padToBytes)
  const kept = new Agent({ keepAlive: true, maxSockets: 64 })
  const counts = new Map<string, number>()
  const owed = new Set<Promise<void>>()
  const stopped = new AbortController()

  const send = async (agent: Agent | false): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const request = startRequest(url, { method: 'POST', headers, agent, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', (error) => resolve(`cut off: ${error.message}`))
      response.once('end', () => {
        const answer = Buffer.concat(chunks).toString().slice(0, 200)
        resolve(response.statusCode === 200 ? 'ok' : `${response.statusCode} ${answer}`)
      })
    })
    request.once('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    request.once('error', (error) => resolve(String(error)))
    request.end(text)
    return await promise
  }

  const run = async (): Promise<void> => {
    const startMs = performance.now()
    for (let index = 0; !stopped.signal.aborted; index++) {
      const waitMs = startMs + (index * 1000) / ratePerSecond - performance.now()
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: stopped.signal }).catch(() => undefined)
      if (stopped.signal.aborted) return
      const settled: Promise<void> = send(index % 2 === 0 ? kept : false).then((result) => {
        counts.set(result, (counts.get(result) ?? 0) + 1)
        owed.delete(settled)
      })
      owed.add(settled)
    }
  }
  const running = run()
  const stop = async (): Promise<Record<string, number>> => {
    stopped.abort()
    await running
    await Promise.all(owed)
    kept.destroy()
    return Object.fromEntries(counts)
  }
  t.after(stop)
  return {
    get answered() {
      return counts.get('ok') ?? 0
    },
    get failed() {
      return [...counts].reduce((sum, [result, count]) => sum + (result === 'ok' ? 0 : count), 0)
    },
    stop,
  }
}
