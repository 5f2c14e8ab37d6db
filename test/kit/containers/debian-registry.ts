import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { requirePeer } from '../peer.ts'
import type { Scope } from '../scope.ts'
import { type BaseKind, makeBaseImage } from './debian-base.ts'
import { requireRoot } from './require-root.ts'
import { runProgram } from './program.ts'
import { deriveLayout } from './single-layer.ts'

export interface DebianRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly url: string
  /** What the registry printed so far: a line for each request. */
  readLog(): string
  /**
   * Pushes a base image, with more environment where `env` says so (such as `npm_config_registry`), and gives its reference:
   * `127.0.0.1:PORT/base/cc:12`, `127.0.0.1:PORT/base/node-build:24`.
   */
  fill(kind: BaseKind, env?: Readonly<Record<string, string>>): Promise<string>
}

/** The one account of a registry that asks for one; its password is hashed below as the registry wants it. */
export const account = { user: 'towline', password: 'towline-test' }
const passwordHash = '$2b$05$sw7QBpNRMzfLoxOsuhU2.eBRxLFywNL/NVqqYvwcZ7i.ZYnye0iFO'
const baseTags = { cc: 'base/cc:12', 'node-build': 'base/node-build:24' } as const

/** Debian's `docker-registry` on a free port of loopback, with storage of its own; undefined when the test was skipped. */
export async function startDebianRegistry(
  test: Scope,
  { login = false }: { readonly login?: boolean } = {},
): Promise<DebianRegistry | undefined> {
  const program = requirePeer(test, 'docker-registry')
  const skopeo = requirePeer(test, 'skopeo')
  if (program === undefined || skopeo === undefined || !requireRoot(test)) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'towline-registry-'))
  const accounts = join(folder, 'accounts')
  writeFileSync(accounts, `${account.user}:${passwordHash}\n`)
  const config = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0' },
    log: { level: 'info' },
    ...(login ? { auth: { htpasswd: { realm: 'towline', path: accounts } } } : {}),
  }
  writeFileSync(join(folder, 'config.yml'), stringify(config))
  const child = spawn(program, ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  test.after(async () => {
    await endProcess(child)
    rmSync(folder, { recursive: true })
  })
  let log = ''
  const host = await readAddress(child, (text) => (log += text))
  const credentials = login ? [`--dest-creds=${account.user}:${account.password}`] : []
  return {
    host,
    url: `http://${host}`,
    readLog: () => log,
    async fill(kind, env = {}) {
      const made = await makeBaseImage(kind)
      const layout = mkdtempSync(`${made}-derived-`)
      deriveLayout(made, layout, env)
      const reference = `${host}/${baseTags[kind]}`
      const how = [
        '--insecure-policy',
        'copy',
        '--quiet',
        '--preserve-digests',
        '--dest-tls-verify=false',
        ...credentials,
      ]
      await runProgram(skopeo, [...how, `oci:${layout}:latest`, `docker://${reference}`]).finally(() =>
        rmSync(layout, { recursive: true }),
      )
      return reference
    },
  }
}

/** It listens on the port that the system gave, and says so. */
async function readAddress(child: ChildProcess, keep: (text: string) => string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const read = (chunk: Buffer): void => {
    const log = keep(chunk.toString())
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1]
    if (address !== undefined) resolve(address)
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  child.once('error', reject)
  child.once('close', () => reject(new Error(`docker-registry ended:\n${keep('').slice(-4000)}`)))
  return promise
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('close', () => resolve())
  child.kill('SIGKILL')
  await promise
}
