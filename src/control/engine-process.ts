import { join } from 'node:path'
import { writeFileAtomic } from '../base/file/atomic-file.ts'
import { readVersion } from '../base/process/version.ts'
import { systemClock } from '../base/clock.ts'
import { openEngine } from '../engine/engine.ts'
import { prepareProject, projectPaths } from '../engine/paths.ts'
import { openHttpServer } from '../net/http-server.ts'
import { openLog } from '../observe/log.ts'
import { openStore } from '../store/store.ts'
import { createEngineApi } from './engine-api.ts'
import { type EngineStart, describeFailure, parseEngineStart } from './engine-start.ts'

const apiDrainMs = 1000

/** `engine-process {projectDir, leaseMs, failureFile}`: runs until its last service is gone, or SIGTERM: then others adopt. */
async function runEngine({ projectDir, leaseMs, ...hidden }: EngineStart): Promise<void> {
  const paths = projectPaths(projectDir)
  prepareProject(paths)
  // First of all: whoever holds the store is the engine.
  const store = openStore(paths.state)
  const log = openLog({ file: join(paths.logs, 'engine.log'), fields: { process: 'engine', pid: process.pid } })
  try {
    const version = readVersion()
    const engine = openEngine({ ...hidden, paths, store, clock: systemClock, leaseMs, version, log: log.to })
    try {
      const api = await openHttpServer({
        listen: { socketPath: paths.socket },
        handle: createEngineApi(engine, log.to),
      })
      log.to.info({ leaseMs }, 'running')
      const { promise: told, resolve } = Promise.withResolvers<string>()
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
      try {
        const why = await Promise.race([told, engine.done.then(() => 'the last service is gone')])
        log.to.info({ why }, 'ending')
      } finally {
        await api.close(apiDrainMs)
      }
    } finally {
      await engine.close()
    }
  } catch (error) {
    log.to.error({ err: error }, 'the engine failed')
    throw error
  } finally {
    store.close()
    log.close()
  }
}

const start = parseEngineStart(process.argv[2])
try {
  await runEngine(start)
} catch (error) {
  try {
    writeFileAtomic(start.failureFile, JSON.stringify(describeFailure(error)))
  } catch {
    // The folder itself may be the trouble: stderr has it.
  }
  throw error
}
