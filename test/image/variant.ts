import {
  chmodSync,
  copyFileSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { BuiltDescription } from '../../src/cli/view/image/built-rows.ts'
import { example, root } from '../kit/command.ts'
import { runProgram } from '../kit/containers/program.ts'
import { makeFolder } from './project.ts'

/** What differs between two machines, and must not be seen in an image. */
export interface Variant {
  /** The program that runs `towline`. */
  readonly node: string
  readonly umask: string
  /** Time zone and language. */
  readonly env: Readonly<Record<string, string>>
  readonly fileMode: number
  readonly mtimeS: number
  /** In which the files of the project are made, by name. */
  readonly order: 'Forward' | 'Backward'
}

export interface Made {
  readonly built: BuiltDescription
  readonly lock: string
  /** Digests of all that the layout names: the image, its bill of materials, the model. */
  readonly named: readonly string[]
}

/** Builds the example in a new folder with a new cache, in which only the tarballs of packages are. `base` is an OCI layout. */
export async function buildVariant(t: TestContext, base: string, variant: Variant): Promise<Made> {
  const folder = makeFolder(t, 'variant')
  const project = join(folder, 'project')
  mkdirSync(project)
  copyFiles(example, project, variant)
  cpSync(base, join(folder, 'base'), { recursive: true })
  const cache = prepareCache(join(folder, 'cache'))
  const command = [join(root, 'src', 'cli', 'main.ts'), 'build', '--base', `oci:${join(folder, 'base')}`, '--json']
  const { out } = await runProgram('sh', ['-c', `umask ${variant.umask}; exec "$@"`, 'sh', variant.node, ...command], {
    cwd: project,
    env: { ...process.env, ...variant.env, XDG_CACHE_HOME: cache },
    timeoutMs: 300_000,
  })
  const index = JSON.parse(readFileSync(join(project, '.towline', 'images', 'index.json'), 'utf8')) as {
    manifests: readonly { digest: string }[]
  }
  return {
    built: JSON.parse(out) as BuiltDescription,
    lock: readFileSync(join(project, 'towline.lock'), 'utf8'),
    named: index.manifests.map(({ digest }) => digest).toSorted(),
  }
}

/** Tarballs are those of this machine, each checked by its hash: what is not there yet is fetched once. */
function prepareCache(cache: string): string {
  const own = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const tarballs = join(own, 'towline', 'packages', 'tarballs')
  mkdirSync(tarballs, { recursive: true })
  mkdirSync(join(cache, 'towline', 'packages'), { recursive: true })
  symlinkSync(tarballs, join(cache, 'towline', 'packages', 'tarballs'))
  return cache
}

function copyFiles(from: string, to: string, variant: Variant): void {
  const names = readdirSync(from).toSorted()
  if (variant.order === 'Backward') names.reverse()
  for (const name of names) {
    const [source, target] = [join(from, name), join(to, name)]
    if (statSync(source).isDirectory()) {
      mkdirSync(target)
      copyFiles(source, target, variant)
    } else {
      copyFileSync(source, target)
      chmodSync(target, variant.fileMode)
    }
    lutimesSync(target, variant.mtimeS, variant.mtimeS)
  }
}
