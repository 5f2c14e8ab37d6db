import { setTimeout as sleep } from 'node:timers/promises'
import type { DockerDaemon } from './docker-daemon.ts'

export interface ContainerOptions {
  /** On loopback, shared with the test. The container is told by `args` or `env`. */
  readonly port: number
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Answers 200 once the container is ready; `/` when left out. */
  readonly readyPath?: string
  readonly startTimeoutMs?: number
  /** More options of `docker run`, such as a mount. */
  readonly options?: readonly string[]
}

export interface Container {
  readonly id: string
  readonly url: string
  /** What it printed on both outputs. */
  readLogs(): Promise<string>
  /** `starting`, `healthy` or `unhealthy`; `none` for an image without HEALTHCHECK. */
  readHealth(): Promise<string>
  /** Sends the image's own signal, and SIGKILL after `graceSeconds`. */
  stop(graceSeconds?: number): Promise<{ readonly exitCode: number; readonly tookMs: number }>
  remove(): Promise<void>
}

/**
 * Starts an image as strictly as a careful cluster would: nothing writable, no capabilities, no new rights, the user of the image.
 * Resolves once it answers; when it ends before, the error holds what it printed. The daemon removes it at the end of the test.
 */
export async function runContainer(
  { docker }: DockerDaemon,
  image: string,
  { port, args = [], env = {}, readyPath = '/', startTimeoutMs = 20_000, options = [] }: ContainerOptions,
): Promise<Container> {
  const strict = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--network=host']
  const variables = Object.entries(env).map(([name, value]) => `--env=${name}=${value}`)
  const { out } = await docker(['run', '--detach', ...strict, ...variables, ...options, image, ...args])
  const id = out.trim()
  const url = `http://127.0.0.1:${port}`
  const inspect = async (template: string): Promise<string> =>
    (await docker(['inspect', `--format=${template}`, id])).out.trim()
  const readLogs = async (): Promise<string> => {
    const { out, err } = await docker(['logs', id])
    return out + err
  }

  const endMs = performance.now() + startTimeoutMs
  while (!(await isReady(url + readyPath))) {
    const state = await inspect('{{.State.Status}}')
    if (state !== 'running' || performance.now() > endMs) {
      throw new Error(`the container of ${image} is ${state} and does not answer:\n${await readLogs()}`)
    }
    await sleep(50)
  }
  return {
    id,
    url,
    readLogs,
    readHealth: () => inspect('{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}'),
    async stop(graceSeconds = 10) {
      const startMs = performance.now()
      await docker(['stop', `--time=${graceSeconds}`, id])
      const tookMs = performance.now() - startMs
      return { exitCode: Number(await inspect('{{.State.ExitCode}}')), tookMs }
    },
    async remove() {
      await docker(['rm', '--force', id])
    },
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}
