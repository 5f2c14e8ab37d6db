import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BuiltDescription } from '../../src/cli/view/image/built-rows.ts'
import type { Pushed } from '../../src/cli/image/push-image.ts'
import { example } from '../../test/kit/command.ts'
import { type DebianRegistry, startDebianRegistry } from '../../test/kit/containers/debian-registry.ts'
import { type DockerDaemon, startDockerDaemon } from '../../test/kit/containers/docker-daemon.ts'
import { type NpmMirror, startNpmMirror } from '../../test/kit/containers/npm-mirror.ts'
import type { Scope } from '../../test/kit/scope.ts'
import { type CountingRelay, startRelay } from './counting-relay.ts'
import { editedModule, installTowline } from './installed-towline.ts'

export type Built = BuiltDescription & { readonly pushed?: Pushed }

export interface DockerOrder {
  readonly tag: string
  readonly buildKit: boolean
  readonly cache: boolean
  readonly push: boolean
}

/** The example, a Towline and a Docker daemon with caches of their own, and on loopback all that they fetch from. */
export interface Workplace {
  readonly project: string
  readonly daemon: DockerDaemon
  readonly mirror: NpmMirror
  readonly registry: DebianRegistry
  readonly relay: CountingRelay
  /** `towline build`, in a process of its own. */
  build(more?: readonly string[]): Promise<Built>
  writeDockerfile(): Promise<void>
  /** `docker build` of the written Dockerfile, then `docker push` where asked for. Gives the image's id. */
  buildWithDocker(order: DockerOrder): Promise<string>
  /** Adds the same line to the same module, where Towline and where Docker takes it from. */
  editCode(line: string): void
  /** Leaves Towline only the packages that it fetched. */
  forgetBuilds(): void
}

export async function openWorkplace(scope: Scope): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), 'towline-bench-'))
  scope.after(() => rmSync(folder, { recursive: true }))
  const project = join(folder, 'project')
  cpSync(example, project, { recursive: true })
  for (const name of ['towline', 'logins']) mkdirSync(join(folder, name))
  const installed = installTowline(join(folder, 'towline'))
  const daemon = await startDockerDaemon(scope)
  const registry = await startDebianRegistry(scope)
  if (daemon === undefined || registry === undefined) throw new Error('Docker or its registry is missing')

  const base = await registry.fill('cc')
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache'), DOCKER_CONFIG: join(folder, 'logins') }
  const writeDockerfile = async (): Promise<void> => {
    await installed.run(['build', '--dockerfile', '--base', base], project, env)
  }
  await writeDockerfile()
  const mirror = await startNpmMirror(scope, join(project, 'Dockerfile.files', 'package-lock.json'))
  const buildBase = await registry.fill('node-build', { npm_config_registry: mirror.url })
  const relay = await startRelay(scope, registry.host)
  const forSelf = { ...env, npm_config_registry: mirror.url }
  return {
    project,
    daemon,
    mirror,
    registry,
    relay,
    build: async (more = []) =>
      JSON.parse(await installed.run(['build', '--base', base, '--json', ...more], project, forSelf)) as Built,
    writeDockerfile,
    async buildWithDocker({ tag, buildKit, cache, push }) {
      const how = ['--quiet', '--network=host', `--tag=${tag}`, `--build-arg=BUILD_BASE=${buildBase}`]
      const args = ['build', ...how, ...(cache ? [] : ['--no-cache']), project]
      const { out } = await daemon.docker(args, { env: { DOCKER_BUILDKIT: buildKit ? '1' : '0' }, timeoutMs: 600_000 })
      if (push) await daemon.docker(['push', '--quiet', tag])
      return out.trim()
    },
    editCode(line) {
      installed.editModule(line)
      appendFileSync(join(project, 'Dockerfile.files', 'code', 'dist', editedModule), line)
    },
    forgetBuilds() {
      const made = [
        join(project, '.towline', 'images'),
        ...['bases', 'layers'].map((name) => join(folder, 'cache/towline', name)),
      ]
      for (const path of made) rmSync(path, { recursive: true })
    },
  }
}
