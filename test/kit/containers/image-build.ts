import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { requirePeer } from '../peer.ts'
import type { DockerDaemon } from './docker-daemon.ts'
import { type ProgramOutput, runProgram } from './program.ts'
import { requireRoot } from './require-root.ts'

export interface ImageBuild {
  readonly tag: string
  /** A path, in the folder or elsewhere; `Dockerfile` in the folder when left out. */
  readonly dockerfile?: string
  /** Of RUN lines. `host` reaches what listens on loopback. */
  readonly network: 'host' | 'none'
  readonly buildArgs?: Readonly<Record<string, string>>
  /** Id to file, for `RUN --mount=type=secret`. */
  readonly secrets?: Readonly<Record<string, string>>
  readonly platform?: string
}

/** Builds with one of Docker's two builders, without its cache. The output is the builder's log. */
export async function buildWithDocker(
  daemon: DockerDaemon,
  folder: string,
  { buildKit, ...build }: ImageBuild & { readonly buildKit: boolean },
): Promise<ProgramOutput> {
  if (!buildKit && build.secrets !== undefined) throw new Error('the classic builder of Docker has no secrets')
  const progress = buildKit ? ['--progress=plain'] : []
  return daemon.docker(['build', '--no-cache', ...progress, ...writeArgs(folder, build)], {
    env: { DOCKER_BUILDKIT: buildKit ? '1' : '0' },
  })
}

/** Buildah with storage of its own, gone with the test. */
export interface Buildah {
  buildah(args: readonly string[]): Promise<ProgramOutput>
}

/** Undefined when the test was skipped. */
export function openBuildah(test: TestContext): Buildah | undefined {
  const buildah = requirePeer(test, 'buildah')
  const unshare = requirePeer(test, 'unshare')
  if (buildah === undefined || unshare === undefined || !requireRoot(test)) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'tl-ba-'))
  test.after(() => rmSync(folder, { recursive: true }))
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'overlay']
  // Its storage stays mounted after each command, except where the mounts end with the command.
  const apart = ['--mount', '--propagation', 'slave', buildah]
  return { buildah: (args) => runProgram(unshare, [...apart, ...storage, ...args]) }
}

/**
 * Docker's format, since OCI's has no HEALTHCHECK; no container runtime, so that no cgroup or namespace is needed. RUN lines then
 * always have the network of the machine: Buildah refuses another.
 */
export async function buildWithBuildah(
  { buildah }: Buildah,
  folder: string,
  build: Omit<ImageBuild, 'network'>,
): Promise<ProgramOutput> {
  const how = ['--format=docker', '--isolation=chroot', '--tls-verify=false', '--layers=false']
  return buildah(['bud', ...how, ...writeArgs(folder, { ...build, network: 'host' })])
}

function writeArgs(
  folder: string,
  { tag, dockerfile, network, buildArgs = {}, secrets = {}, platform }: ImageBuild,
): string[] {
  return [
    `--network=${network}`,
    `--tag=${tag}`,
    ...(dockerfile === undefined ? [] : [`--file=${dockerfile}`]),
    ...(platform === undefined ? [] : [`--platform=${platform}`]),
    ...Object.entries(buildArgs).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...Object.entries(secrets).map(([id, file]) => `--secret=id=${id},src=${file}`),
    folder,
  ]
}
