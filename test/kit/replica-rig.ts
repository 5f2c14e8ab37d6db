import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openLog } from '../../src/observe/log.ts'
import { type Replica, openReplica } from '../../src/serve/replica.ts'
import type { ReplicaConfig } from '../../src/serve/replica-config.ts'

export const modelsDir = join(import.meta.dirname, '..', 'models')

/** A real replica inside the test's own process, closed with the test. */
export async function openTestReplica(
  t: TestContext,
  model: string,
  more: Partial<ReplicaConfig> = {},
): Promise<Replica & { url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'towline-replica-'))
  const log = openLog({ file: join(folder, 'log'), fields: {} })
  t.after(() => {
    log.close()
    rmSync(folder, { recursive: true })
  })
  const config: ReplicaConfig = {
    service: 'test',
    replica: 'test-1',
    revision: 1,
    modelPath: join(modelsDir, model),
    modelName: 'm',
    workers: 1,
    threadsPerWorker: 1,
    host: '127.0.0.1',
    port: 0,
    metricsPort: 0,
    timeoutMs: 5000,
    maxBodyBytes: 1 << 20,
    maxQueuedRows: 64,
    drainTimeoutMs: 5000,
    logFile: join(folder, 'log'),
    announceFile: join(folder, 'state'),
    ...more,
  }
  const replica = await openReplica(config, {
    log,
    version: '0.0.0',
    onWorkerLost: (error) => {
      throw error
    },
  })
  let open = true
  const close = async (): Promise<void> => {
    if (!open) return
    open = false
    await replica.close()
  }
  t.after(close)
  return { ...replica, close, url: `http://127.0.0.1:${replica.port}` }
}
