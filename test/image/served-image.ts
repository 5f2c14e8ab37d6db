import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { imagePaths } from '../../src/image/plan/build-plan.ts'
import { example } from '../kit/command.ts'
import { type Container, runContainer } from '../kit/containers/container.ts'
import type { DockerDaemon } from '../kit/containers/docker-daemon.ts'
import { findFreePort } from '../kit/containers/free-port.ts'
import { makeFolder } from './project.ts'

/**
 * Runs an image without rights, on the network of the machine. Its settings are the image's own but for the ports: another
 * program may have 8080.
 */
export async function serveImage(t: TestContext, daemon: DockerDaemon, image: string): Promise<Container> {
  const file = join(makeFolder(t, 'settings'), 'replica.json')
  const created = (await daemon.docker(['create', image])).out.trim()
  await daemon.docker(['cp', `${created}:${imagePaths.settings}`, file])
  await daemon.docker(['rm', created])
  const settings = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>
  const port = await findFreePort()
  writeFileSync(file, JSON.stringify({ ...settings, host: '127.0.0.1', port, metricsPort: await findFreePort() }))
  chmodSync(file, 0o644)
  return runContainer(daemon, image, {
    port,
    readyPath: '/v2/health/ready',
    options: [`--volume=${file}:${imagePaths.settings}:ro`],
  })
}

/** What the photo of a cat shows, by the model: the classes in their order. */
export async function classifyCat(url: string): Promise<readonly string[]> {
  const answer = await fetch(`${url}/v2/models/image-classifier/infer`, {
    method: 'POST',
    body: new Uint8Array(readFileSync(join(example, 'photos', 'chelsea.jpg'))),
    headers: { 'content-type': 'image/jpeg' },
  })
  assert.equal(answer.status, 200)
  const { outputs } = (await answer.json()) as { outputs: { name: string; data: string[] }[] }
  return outputs.find(({ name }) => name === 'labels')?.data ?? assert.fail('no labels')
}

/** A container that answers as it should, ends when it is told to, and writes nothing but its log. */
export async function provesItself(t: TestContext, daemon: DockerDaemon, image: string): Promise<void> {
  const container = await serveImage(t, daemon, image)
  assert.equal((await classifyCat(container.url))[0], 'Egyptian cat')
  const { exitCode, tookMs } = await container.stop()
  assert.equal(exitCode, 0)
  assert.ok(tookMs < 8000, `it took ${tookMs} ms to end`)
  checkLog(await container.readLogs())
  await container.remove()
}

/** Each line is one of our log; native libraries like to write their own. */
export function checkLog(text: string): void {
  for (const line of text.trim().split('\n')) assert.match(line, /^\{"level":.*\}$/, text)
}

/** A container with the image's own settings and health check. */
export interface UntouchedContainer {
  /** What the health check says once it has said something. */
  untilHealthKnown(): Promise<string>
  readLogs(): Promise<string>
}

const healthTimeoutMs = 60_000

/** Runs an image with nothing changed, in a network of its own that has loopback and nothing else. */
export async function runUntouched({ docker }: DockerDaemon, image: string): Promise<UntouchedContainer> {
  const strict = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--network=none']
  const id = (await docker(['run', '--detach', ...strict, image])).out.trim()
  return {
    async untilHealthKnown() {
      const endMs = performance.now() + healthTimeoutMs
      for (;;) {
        const { out } = await docker(['inspect', '--format={{.State.Health.Status}}', id])
        if (out.trim() !== 'starting' || performance.now() > endMs) return out.trim()
        await sleep(200)
      }
    },
    async readLogs() {
      const { out, err } = await docker(['logs', id])
      return out + err
    },
  }
}
