import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Scope } from '../scope.ts'
import { peersFolder } from './peers-folder.ts'
import { runProgram } from './program.ts'

/** A package as a lock file of version 3 names it. */
interface LockedPackage {
  readonly version: string
  readonly integrity: string
}

export interface NpmMirror {
  /** `http://127.0.0.1:PORT/`, for `npm config set registry` or `npm_config_registry`. */
  readonly url: string
  /** The paths asked for so far. */
  readonly requests: readonly string[]
}

/**
 * An npm registry on loopback with the packages of one lock file. A tarball is fetched by npm itself when it is first asked for,
 * compared with the lock, and kept with the peers: a build that was done once needs no network but loopback.
 */
export async function startNpmMirror(test: Scope, lockFile: string): Promise<NpmMirror> {
  const packages = readLock(lockFile)
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://mirror').pathname).slice(1)
    requests.push(path)
    const base = `http://${request.headers.host}`
    answer(packages, path, base).then(
      (body) => {
        if (body === undefined) response.writeHead(404).end('{"error":"not in the lock file"}')
        else response.writeHead(200, { 'content-type': body.type, 'content-length': body.bytes.length }).end(body.bytes)
      },
      // Said to npm, which prints it: the build then shows why.
      (error: unknown) => response.writeHead(500).end(JSON.stringify({ error: String(error) })),
    )
  })
  await listen(server)
  test.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests }
}

type Packages = ReadonlyMap<string, readonly LockedPackage[]>

/** From the name of a package to the versions that the lock file has of it. */
function readLock(lockFile: string): Packages {
  const lock: { packages: Record<string, LockedPackage & { name?: string; link?: boolean }> } = JSON.parse(
    readFileSync(lockFile, 'utf8'),
  )
  const packages = new Map<string, LockedPackage[]>()
  for (const [path, locked] of Object.entries(lock.packages)) {
    if (!path.includes('node_modules/') || locked.link === true || locked.integrity === undefined) continue
    const name = locked.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    packages.set(name, [...(packages.get(name) ?? []), locked])
  }
  return packages
}

async function answer(
  packages: Packages,
  path: string,
  base: string,
): Promise<{ type: string; bytes: Buffer } | undefined> {
  const [name = '', file] = path.split('/-/')
  const versions = packages.get(name)
  if (versions === undefined) return undefined
  if (file === undefined) {
    return { type: 'application/json', bytes: Buffer.from(JSON.stringify(describePackage(name, versions, base))) }
  }
  const locked = versions.find(({ version }) => file === nameTarball(name, version))
  return locked && { type: 'application/octet-stream', bytes: await readTarball(name, locked) }
}

/** What npm calls a packument: each version with its fields and where its tarball is. */
function describePackage(name: string, versions: readonly LockedPackage[], base: string): object {
  const entries = versions.map((locked) => {
    const dist = { tarball: `${base}/${name}/-/${nameTarball(name, locked.version)}`, integrity: locked.integrity }
    return [locked.version, { ...locked, name, dist }]
  })
  return { name, 'dist-tags': { latest: versions[0]?.version }, versions: Object.fromEntries(entries) }
}

/** `onnxruntime-node-1.30.0.tgz`; without the scope, as the real registry names them. */
function nameTarball(name: string, version: string): string {
  return `${name.slice(name.lastIndexOf('/') + 1)}-${version}.tgz`
}

async function readTarball(name: string, { version, integrity }: LockedPackage): Promise<Buffer> {
  const folder = join(peersFolder, 'npm')
  const kept = join(folder, `${name.replace('/', '+')}-${version}.tgz`)
  if (!existsSync(kept)) {
    mkdirSync(folder, { recursive: true })
    const work = mkdtempSync(join(folder, '.fetching-'))
    try {
      await runProgram('npm', ['pack', '--silent', '--ignore-scripts', `${name}@${version}`], { cwd: work })
      const [file = ''] = readdirSync(work)
      renameSync(join(work, file), kept)
    } finally {
      rmSync(work, { recursive: true })
    }
  }
  const bytes = readFileSync(kept)
  const [algorithm = '', wanted] = integrity.split('-', 2)
  if (createHash(algorithm).update(bytes).digest('base64') !== wanted) {
    throw new Error(`${kept} is not what the lock file names; delete it`)
  }
  return bytes
}

async function listen(server: Server): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
  return promise
}
