import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Scope } from '../scope.ts'

/** Where the sources of the test bed lie. */
export const bedFolder = join(import.meta.dirname, '..', '..', 'cluster')

export interface Namespaces {
  /** Of this cluster alone, with a short path. Gone when it ends. */
  readonly folder: string
  /** The first process inside, as it is seen from outside. */
  readonly first: number
  /** Of the node's pods, in each hierarchy. */
  readonly cgroup: string
  /** Starts a program there, in `folder`. Whatever it starts ends with the cluster. */
  spawn(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess
}

/**
 * Namespaces of mounts and processes, and with an `address` one of a network that has it, kept by `keeper.sh` until the test is over
 * or its process is gone: the kernel then ends every process inside.
 */
export async function openNamespaces(test: Scope, address?: string): Promise<Namespaces> {
  // Short: paths of sockets below it must stay under 108 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'tl-k8-'))
  // A session of its own: a signal to the group of the test must not end it before it has cleaned up.
  const keeper = spawn(join(bedFolder, 'keeper.sh'), [folder, ...(address === undefined ? [] : [address])], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let troubles = ''
  keeper.stderr.setEncoding('utf8').on('data', (text: string) => (troubles += text))
  const closed = once(keeper, 'close')
  test.after(async () => {
    keeper.stdin.end()
    await closed
    if (troubles !== '') throw new Error(`the namespaces of a cluster did not end well:\n${troubles}`)
  })
  const ready = Promise.withResolvers<void>()
  createInterface(keeper.stdout).on('line', (line) => {
    if (line === 'ready') ready.resolve()
  })
  keeper.once('close', () => ready.reject(new Error(`no namespaces for a cluster:\n${troubles}`)))
  await ready.promise

  // keeper.sh → unshare → the first process inside
  const first = readChild(readChild(keeper.pid))
  const apart = ['--target', String(first), '--mount', '--pid', ...(address === undefined ? [] : ['--net']), '--wd']
  return {
    folder,
    first,
    cgroup: folder.split('/').at(-1) ?? '',
    spawn: (program, args, options = {}) => spawn('nsenter', [...apart, '--', program, ...args], options),
  }
}

/** The only child of a process, or undefined where it has none any more. */
export function findChild(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return child === undefined || child === '' ? undefined : Number(child)
}

function readChild(pid: number | undefined): number {
  const child = findChild(pid)
  if (child === undefined) throw new Error(`process ${pid} has no child`)
  return child
}
