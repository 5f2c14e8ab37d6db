import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import type { EngineStatus, ServiceStatus } from '../../src/control/api.ts'
import { type EngineClient, createClient } from '../../src/control/client.ts'
import { findProcesses } from '../../src/engine/adoption.ts'
import { projectPaths } from '../../src/engine/paths.ts'

const model = join(import.meta.dirname, '../models/mlp-dynamic.onnx')

export const serviceName = 'mlp'
export const requestBody = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }] }

interface DocumentChange {
  readonly replicas?: number
  readonly uri?: string
  readonly timeout?: string
  readonly drainTimeout?: string
  readonly memory?: string
  readonly autoscaling?: unknown
  readonly rollout?: unknown
}

export interface Project {
  readonly dir: string
  readonly client: EngineClient
  document(change?: DocumentChange): {
    document: unknown
    file: string
    port: number
  }
  /** Engine and all, however the test ends. */
  engines: Set<number>
}

/** A project folder of its own; whatever runs in it is killed afterwards, and the folder removed. */
export function openProject(t: TestContext, parent = tmpdir()): Project {
  const dir = mkdtempSync(join(parent, 'towline-chaos-'))
  const engines = new Set<number>()
  t.after(async () => {
    for (const pid of engines) kill(pid)
    const paths = projectPaths(dir)
    for (let round = 0; round < 50; round++) {
      const left = findProcesses(paths)
      if (left.length === 0) break
      for (const { identity } of left) kill(identity.pid)
      await sleep(50)
    }
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
  return {
    dir,
    engines,
    client: createClient(dir),
    document: ({
      replicas = 2,
      uri = model,
      timeout = '10s',
      drainTimeout = '10s',
      memory,
      autoscaling,
      rollout,
    } = {}) => ({
      file: join(dir, 'towline.yaml'),
      port: 0,
      document: {
        apiVersion: 'towline.dev/v1alpha1',
        kind: 'ModelService',
        metadata: { name: serviceName },
        spec: {
          model: { uri },
          ...(autoscaling === undefined ? { replicas } : { autoscaling }),
          serving: { timeout, maxQueuedRows: 100_000 },
          resources: { cpu: 1, ...(memory === undefined ? {} : { memory }) },
          lifecycle: { startupTimeout: '30s', drainTimeout },
          ...(rollout === undefined ? {} : { rollout }),
        },
      },
    }),
  }
}

export function kill(pid: number | null | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === null || pid === undefined || pid <= 0) return
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended already.
  }
}

/** Asks again until `condition` holds; at most `limitMs`, then the last status is in the failure. */
export async function waitFor(
  client: EngineClient,
  condition: (service: ServiceStatus, engine: EngineStatus) => boolean,
  limitMs = 20_000,
): Promise<ServiceStatus> {
  const endMs = performance.now() + limitMs
  let last: unknown
  while (performance.now() < endMs) {
    try {
      const engine = await client.status()
      last = engine
      const service = engine.services.find(({ name }) => name === serviceName)
      if (service !== undefined && condition(service, engine)) return service
    } catch (error) {
      last = error
    }
    await sleep(50)
  }
  assert.fail(`not within ${limitMs} ms; last seen: ${JSON.stringify(last, null, 1)} ${String(last)}`)
}

export const isReady = ({ phase }: ServiceStatus): boolean => phase === 'Ready'

export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + limitMs
  while (performance.now() < endMs) {
    if (await condition()) return
    await sleep(50)
  }
  assert.fail(`${what}: not within ${limitMs} ms`)
}

/** Inference requests one after the other, from a few callers, until `stop`; what each came back with, counted. */
export function startLoad(t: TestContext, url: string, body: unknown, callers = 3) {
  const stopped = new AbortController()
  t.after(() => stopped.abort())
  const counts = new Map<string, number>()
  const call = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      let result: string
      try {
        const response = await fetch(`${url}/v2/models/${serviceName}/infer`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(15_000),
        })
        const text = await response.text()
        result = response.ok ? 'ok' : `${response.status} ${text.slice(0, 200)}`
      } catch (error) {
        result = String(error instanceof Error ? (error.cause ?? error) : error)
      }
      counts.set(result, (counts.get(result) ?? 0) + 1)
      await sleep(2)
    }
  }
  const callersDone = Promise.all(Array.from({ length: callers }, call))
  return {
    get answered() {
      return counts.get('ok') ?? 0
    },
    stop: async () => {
      stopped.abort()
      await callersDone
      return Object.fromEntries(counts)
    },
  }
}
