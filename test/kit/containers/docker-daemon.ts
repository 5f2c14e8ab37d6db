import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { requirePeer } from '../peer.ts'
import type { Scope } from '../scope.ts'
import { requireRoot } from './require-root.ts'
import { type ProgramOptions, type ProgramOutput, runProgram } from './program.ts'

export interface DockerDaemon {
  readonly socket: string
  /** Runs the client of the same package against this daemon, with a configuration of its own. */
  docker(args: readonly string[], options?: ProgramOptions): Promise<ProgramOutput>
}

const startTimeoutMs = 30_000
const stopTimeoutMs = 10_000

/**
 * A Docker daemon for one test, in folders of its own, ended with the test together with all its containers. It shares the
 * network of the machine and changes nothing of it (no bridge, no rule, no forwarding): containers run with `--network host`, so
 * that they and the test reach each other over loopback. Undefined when the test was skipped.
 */
export async function startDockerDaemon(test: Scope): Promise<DockerDaemon | undefined> {
  const dockerd = requirePeer(test, 'dockerd')
  const unshare = requirePeer(test, 'unshare')
  if (dockerd === undefined || unshare === undefined || !requireRoot(test)) return undefined
  // Beside the daemon: another client in front of it in PATH may not know how to ask for BuildKit.
  const client = resolve(dockerd, '../../bin/docker')

  // Short: the paths of sockets below it must stay under 108 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'tl-dk-'))
  const at = (name: string): string => join(folder, name)
  mkdirSync(at('client'))
  writeFileSync(at('none.json'), '{}')
  const cgroup = folder.split('/').at(-1) ?? ''
  const env = { ...process.env, DOCKER_HOST: `unix://${at('docker.sock')}`, DOCKER_CONFIG: at('client') }
  const docker = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramOutput> =>
    runProgram(client, args, { ...options, env: { ...env, ...options.env } })

  const log = openSync(at('log'), 'w')
  const folders = [`--data-root=${at('data')}`, `--exec-root=${at('exec')}`, `--pidfile=${at('pid')}`]
  const settings = [
    `--config-file=${at('none.json')}`,
    `--group=${process.getgid?.() ?? 0}`,
    `--cgroup-parent=/${cgroup}`,
  ]
  const noNetwork = [
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--ip-masq=false',
    '--userland-proxy=false',
  ]
  // In a process namespace of its own everything ends with the first process, whatever became of the test; mounts likewise.
  const apart = ['--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc']
  const child = spawn(
    unshare,
    [...apart, dockerd, `--host=${env.DOCKER_HOST}`, ...folders, ...settings, ...noNetwork],
    {
      stdio: ['ignore', log, log],
      env,
    },
  )
  closeSync(log)
  test.after(async () => {
    try {
      await stopDaemon(child, docker)
    } finally {
      removeCgroups(cgroup)
      rmSync(folder, { recursive: true })
    }
  })
  await untilReady(child, docker, at('log'))
  return { socket: at('docker.sock'), docker }
}

type Client = DockerDaemon['docker']

async function untilReady(child: ChildProcess, docker: Client, log: string): Promise<void> {
  const endMs = performance.now() + startTimeoutMs
  for (;;) {
    const answer = await docker(['version', '--format', '{{.Server.Version}}']).catch((error: unknown) => error)
    if (!(answer instanceof Error)) return
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > endMs) {
      throw new Error(`dockerd does not answer:\n${readFileSync(log, 'utf8').slice(-4000)}`, { cause: answer })
    }
    await sleep(50)
  }
}

/** Containers first, then the daemon by its own signal; what has not ended after that is killed with its namespace. */
async function stopDaemon(child: ChildProcess, docker: Client): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const closed = Promise.withResolvers<void>()
  child.once('close', () => closed.resolve())
  try {
    const { out } = await docker(['ps', '--all', '--quiet'])
    const containers = out.split('\n').filter((id) => id !== '')
    if (containers.length > 0) await docker(['rm', '--force', ...containers])
  } finally {
    // `unshare` itself waits for its child and passes no signal on.
    const [daemon] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ')
    if (daemon !== undefined && daemon !== '') process.kill(Number(daemon), 'SIGTERM')
    const kill = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await closed.promise
    clearTimeout(kill)
  }
}

/** The daemon leaves empty folders behind in each hierarchy, one for itself and one for its builder. */
function removeCgroups(name: string): void {
  for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
    const parent = join('/sys/fs/cgroup', hierarchy, name)
    if (!existsSync(parent)) continue
    // The files in them are the kernel's, and go with their folder.
    const inner = readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    for (const { name } of inner) rmdirSync(join(parent, name))
    rmdirSync(parent)
  }
}
