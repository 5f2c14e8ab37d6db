import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DockerDaemon } from '../kit/containers/docker-daemon.ts'
import { runProgram } from '../kit/containers/program.ts'
import { type TreeEntry, ownFolders, readTree } from './file-tree.ts'

/** How Docker would run an image. */
export interface DockerConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Cmd: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly WorkingDir: string
  readonly ExposedPorts: object
  readonly StopSignal: string
  readonly Healthcheck: object
  readonly Labels: Readonly<Record<string, string>>
}

export interface DockerImage {
  readonly Config: DockerConfig
  readonly RootFS: { readonly Layers: readonly string[] }
}

export async function inspectImage({ docker }: DockerDaemon, image: string): Promise<DockerImage> {
  const { out } = await docker(['inspect', '--type=image', image])
  const [only] = JSON.parse(out) as [DockerImage]
  return only
}

/** All of an image's configuration that says how it runs; Docker's own record of how it was built is left out. */
export function selectRun({ Config }: DockerImage): Omit<DockerConfig, 'Labels'> {
  const { User, Env, Cmd, Entrypoint, WorkingDir, ExposedPorts, StopSignal, Healthcheck } = Config
  return { User, Env, Cmd, Entrypoint, WorkingDir, ExposedPorts, StopSignal, Healthcheck }
}

/** What an image has in Towline's folders, as its containers see it. `folder` must be there. */
export async function exportOwn(
  { docker }: DockerDaemon,
  image: string,
  folder: string,
): Promise<ReadonlyMap<string, TreeEntry>> {
  const id = (await docker(['create', image])).out.trim()
  const archive = join(folder, `${id}.tar`)
  await docker(['export', `--output=${archive}`, id])
  await docker(['rm', id])
  const root = join(folder, id)
  mkdirSync(root)
  await runProgram('tar', ['-xf', archive, '-C', root, ...ownFolders])
  return readTree(root)
}
