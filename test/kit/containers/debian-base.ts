import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { RunConfig } from '../../../src/image/oci/manifest.ts'
import { root as repository } from '../command.ts'
import {
  ccPackages,
  findNpm,
  findPackages,
  joinCertificates,
  shellPackages,
  unpackPackages,
} from './debian-packages.ts'
import { peersFolder } from './peers-folder.ts'
import { runProgram } from './program.ts'
import { writeLayout } from './single-layer.ts'

/**
 * `cc`: C and C++ libraries and nothing to start, as distroless images. `node-build`: what `node:24-bookworm-slim` offers to a build
 * stage: a shell, Node and npm.
 */
export type BaseKind = 'cc' | 'node-build'

/** Another number makes images anew whose recipe below has changed. */
const recipe = 1
const nodeFolder = join(repository, 'node_modules', `node-linux-${process.arch}`)
const searchPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const certificates = '/etc/ssl/certs/ca-certificates.crt'

/**
 * A base image of Debian 12 packages, made without Docker: the path of its OCI layout, whose one image is tagged `latest`. Made once
 * (`cc` one second, `node-build` ten), then kept with the peers until the packages change. Needs root, for the owners of files.
 */
export async function makeBaseImage(kind: BaseKind): Promise<string> {
  const packages = findPackages(kind === 'cc' ? ccPackages : [...ccPackages, ...shellPackages])
  const made = join(peersFolder, 'base-images', `${kind}-${nameInputs(kind, packages)}`)
  if (existsSync(made)) return made
  mkdirSync(join(peersFolder, 'base-images'), { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'towline-base-'))
  const layout = mkdtempSync(join(peersFolder, 'base-images', '.making-'))
  try {
    const root = join(work, 'root')
    mkdirSync(root)
    chmodSync(root, 0o755)
    await unpackPackages(packages, root)
    writeFile(root, certificates, joinCertificates(root) + readOwnAuthorities())
    const config = kind === 'cc' ? fillRuntime(root) : await fillBuildStage(root)
    await writeLayout({ root, layout, config })
    renameSync(layout, made)
  } catch (error) {
    // Another test was quicker: its image is the same.
    if (!existsSync(made)) throw error
  } finally {
    rmSync(layout, { recursive: true, force: true })
    rmSync(work, { recursive: true, force: true })
  }
  return made
}

function nameInputs(kind: BaseKind, packages: readonly string[]): string {
  const inputs: unknown[] = [recipe, packages.map((file) => basename(file)), readOwnAuthorities()]
  if (kind === 'node-build') inputs.push(nodeVersion(), basename(findNpm()))
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16)
}

/** Accounts as in distroless images: somebody without rights is 65532. */
function fillRuntime(root: string): RunConfig {
  writeFile(
    root,
    '/etc/passwd',
    'root:x:0:0:root:/root:/sbin/nologin\n' +
      'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n' +
      'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  )
  writeFile(root, '/etc/group', 'root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n')
  const home = join(root, 'home', 'nonroot')
  mkdirSync(home, { recursive: true, mode: 0o700 })
  chownSync(home, 65532, 65532)
  return { Env: [searchPath, `SSL_CERT_FILE=${certificates}`], WorkingDir: '/' }
}

async function fillBuildStage(root: string): Promise<RunConfig> {
  writeFile(
    root,
    '/etc/passwd',
    'root:x:0:0:root:/root:/bin/sh\n' +
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' +
      'node:x:1000:1000::/home/node:/bin/sh\n',
  )
  writeFile(root, '/etc/group', 'root:x:0:\ntty:x:5:\nstaff:x:50:\nnogroup:x:65534:\nnode:x:1000:\n')
  const home = join(root, 'home', 'node')
  mkdirSync(home, { recursive: true })
  chownSync(home, 1000, 1000)

  const local = join(root, 'usr', 'local')
  const npm = join(local, 'lib', 'node_modules', 'npm')
  mkdirSync(npm, { recursive: true })
  mkdirSync(join(local, 'bin'), { recursive: true })
  // No hole in the file, no owner of this machine: a plain copy.
  await runProgram('install', ['-m', '755', join(nodeFolder, 'bin', 'node'), join(local, 'bin', 'node')])
  await runProgram('tar', ['-xzf', findNpm(), '--strip-components=1', '--no-same-owner', '-C', npm])
  for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name))
  const env = [searchPath, `NODE_VERSION=${nodeVersion()}`, `NODE_EXTRA_CA_CERTS=${certificates}`]
  return { Env: env, Cmd: ['node'] }
}

function nodeVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(nodeFolder, 'package.json'), 'utf8'))
  return version
}

/** Authorities that this machine trusts besides the public ones, for builds that reach out through its proxy. */
function readOwnAuthorities(): string {
  const file = process.env['NODE_EXTRA_CA_CERTS']
  return file === undefined || !existsSync(file) ? '' : readFileSync(file, 'utf8')
}

function writeFile(root: string, path: string, text: string): void {
  const file = join(root, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, 0o644)
}
