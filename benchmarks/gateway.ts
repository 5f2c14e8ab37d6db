/**
 * `npm run bench:gateway [-- --rounds N --slice MS --json]`: the gateway and nginx before the same replica that does nothing,
 * in turns within one run. CPU a request costs from a closed loop with eight connections, both proxies on one core and
 * everything else on another; added time from one connection that sends one request after the other.
 */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/base/clock.ts'
import { renewLease } from '../src/base/process/lease.ts'
import { type LoadConnection, openLoadConnection, renderPost } from '../src/bench/connection.ts'
import { runClosedLoop } from '../src/bench/closed-loop.ts'
import { type GatewayConfig, type GatewayRoute, gatewayNodeFlags } from '../src/engine/gateway/gateway-config.ts'
import { readUsage } from '../src/engine/scale/process-usage.ts'
import { type Figure, machine, median, summarize } from './figures.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    slice: { type: 'string', default: '1500' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const sliceMs = Number(values.slice)
const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'towline-bench-'))
const say = (text: string): void => void process.stderr.write(`${text}\n`)
const pinned = availableParallelism() > 1

interface Target {
  readonly name: 'direct' | 'nginx' | 'towline'
  readonly port: number
  /** Of the proxy's processes; none for the replica itself. */
  readonly pids: readonly number[]
}

const json = Buffer.from(
  JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] }),
)
const requests = {
  small: renderPost('/v2/models/none/infer', { 'content-type': 'application/json' }, json),
  '600 kB': renderPost(
    '/v2/models/none/infer',
    { 'content-type': 'application/octet-stream' },
    Buffer.alloc(602_112, 7),
  ),
}
type Size = keyof typeof requests
const sizes = Object.keys(requests) as Size[]

const children: ChildProcess[] = []
try {
  const nginxVersion = readNginxVersion()
  const replica = fork(join(import.meta.dirname, 'no-op-process.ts'))
  children.push(replica)
  const [replicaPort] = (await once(replica, 'message')) as [number]
  const targets: Target[] = [
    { name: 'direct', port: replicaPort, pids: [] },
    await startNginx(replicaPort),
    await startGateway(replicaPort),
  ]
  if (pinned) {
    pin(1, process.pid)
    pin(1, replica.pid ?? 0)
  }
  print(await measure(targets), nginxVersion)
} finally {
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.map(async (child) => child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))))
  rmSync(folder, { recursive: true })
}

function readNginxVersion(): string {
  try {
    // It prints its version to stderr.
    return execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' }).trim().replace('nginx version: ', '')
  } catch {
    throw new Error(
      'nginx is not on the PATH: `scripts/setup-peers bench` unpacks it, `scripts/setup-peers --path` says where',
    )
  }
}

function pin(core: number, pid: number): void {
  execFileSync('taskset', ['-a', '-cp', String(core), String(pid)], { stdio: 'ignore' })
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

async function startNginx(replicaPort: number): Promise<Target> {
  const port = await findFreePort()
  const own = join(folder, 'nginx')
  mkdirSync(own)
  const config = join(own, 'nginx.conf')
  // One worker, bodies passed on as they come, connections to the replica kept: what the gateway does.
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${own}/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; client_max_body_size 64m; keepalive_requests 1000000000;
  client_body_temp_path ${own}/body; proxy_temp_path ${own}/proxy; fastcgi_temp_path ${own}/fastcgi;
  uwsgi_temp_path ${own}/uwsgi; scgi_temp_path ${own}/scgi;
  upstream replicas { least_conn; server 127.0.0.1:${replicaPort}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://replicas; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Request-Id $request_id; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_request_buffering off; proxy_buffering off;
    }
  }
}
`,
  )
  const child = spawn('nginx', ['-c', config, '-p', own, '-e', 'stderr'], { stdio: 'inherit' })
  children.push(child)
  await waitFor(port)
  const master = child.pid ?? 0
  const workers = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ').map(Number)
  if (pinned) for (const pid of workers) pin(0, pid)
  return { name: 'nginx', port, pids: [master, ...workers] }
}

async function startGateway(replicaPort: number): Promise<Target> {
  const port = await findFreePort()
  const file = (name: string): string => join(folder, name)
  const config: GatewayConfig = {
    controlSocket: file('gateway.sock'),
    logFile: file('gateway.log'),
    announceFile: file('gateway.state.json'),
    routesFile: file('routes.json'),
    lease: { file: file('lease'), leaseMs: 3_600_000 },
    drainTimeoutMs: 1000,
  }
  const route: GatewayRoute = {
    service: 'bench',
    host: '127.0.0.1',
    port,
    timeoutMs: 30_000,
    maxBodyBytes: 64 << 20,
    waitMs: 2000,
    slowMs: 1000,
    endpoints: [{ id: 'bench', revision: 1, host: '127.0.0.1', port: replicaPort }],
  }
  writeFileSync(config.routesFile, JSON.stringify([route]))
  writeFileSync(file('gateway.json'), JSON.stringify(config))
  renewLease(config.lease.file, Date.now())
  const entry = join(root, 'src', 'engine', 'gateway-process.ts')
  const child = spawn(process.execPath, [...gatewayNodeFlags, entry, file('gateway.json')], { stdio: 'inherit' })
  children.push(child)
  await waitFor(port)
  if (pinned) pin(0, child.pid ?? 0)
  return { name: 'towline', port, pids: [child.pid ?? 0] }
}

async function waitFor(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      return (await openLoadConnection(port)).close()
    } catch {
      await systemClock.sleep(50)
    }
  }
  throw new Error(`nothing listens on ${port} after 10 s`)
}

interface Sample {
  readonly cpuMicros: number
  readonly perSecond: number
  readonly p50Micros: number
}

async function measure(targets: readonly Target[]): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>()
  for (let round = 0; round <= rounds; round++) {
    for (const size of sizes) {
      for (const target of targets) {
        const sample = await measureOne(target, requests[size])
        // The first round warms up compilers and caches.
        if (round > 0) samples.set(`${size} ${target.name}`, [...(samples.get(`${size} ${target.name}`) ?? []), sample])
      }
    }
    say(round === 0 ? '  warmed up' : `  round ${round} of ${rounds}`)
  }
  return samples
}

async function measureOne({ port, pids }: Target, request: Uint8Array): Promise<Sample> {
  const connections = await Promise.all(Array.from({ length: 8 }, async () => await openLoadConnection(port)))
  const load = { request, durationMs: sliceMs, clock: systemClock }
  const before = sumCpuMs(pids)
  const { answered, durationMs } = check(await runClosedLoop(connections, load))
  const cpuMs = sumCpuMs(pids) - before
  const [one, ...others] = connections
  for (const connection of others) connection.close()
  const alone = check(await runClosedLoop([one as LoadConnection], { ...load, durationMs: sliceMs / 2 })) // of eight
  one?.close()
  return {
    cpuMicros: (cpuMs * 1000) / answered,
    perSecond: (answered * 1000) / durationMs,
    p50Micros: alone.latency.getValueAtPercentile(50),
  }
}

function check(report: Awaited<ReturnType<typeof runClosedLoop>>): typeof report {
  if (report.statuses.size !== 1 || !report.statuses.has(200))
    throw new Error(`answers by status: ${JSON.stringify([...report.statuses])}`)
  return report
}

function sumCpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (readUsage(pid)?.cpuMs ?? 0), 0)
}

function print(samples: ReadonlyMap<string, readonly Sample[]>, nginxVersion: string): void {
  const rows = sizes.map((size) => {
    const of = (name: Target['name']): readonly Sample[] => samples.get(`${size} ${name}`) ?? []
    const ratio = (value: (round: number, name: 'nginx' | 'towline') => number): Figure =>
      summarize(of('towline').map((_, round) => value(round, 'towline') / value(round, 'nginx')))
    const added = (round: number, name: 'nginx' | 'towline'): number =>
      (of(name)[round]?.p50Micros ?? NaN) - (of('direct')[round]?.p50Micros ?? NaN)
    return {
      size,
      cpu: ratio((round, name) => of(name)[round]?.cpuMicros ?? NaN),
      addedP50: ratio(added),
      perSecond: ratio((round, name) => of(name)[round]?.perSecond ?? NaN),
      nginx: {
        cpuMicros: median(of('nginx').map((sample) => sample.cpuMicros)),
        addedP50Micros: median(of('nginx').map((_, round) => added(round, 'nginx'))),
      },
    }
  })
  if (values.json) return console.log(JSON.stringify({ machine, nginxVersion, rounds, sliceMs, rows }, undefined, 2))
  console.log(
    `towline's gateway divided by ${nginxVersion}, both before the same replica; median of ${rounds} rounds [lowest, highest]`,
  )
  const show = ({ median: middle, lowest, highest }: Figure): string =>
    `${middle.toFixed(2)} [${lowest.toFixed(2)}, ${highest.toFixed(2)}]`.padEnd(22)
  console.log(`  ${'request'.padEnd(10)}${'CPU a request'.padEnd(22)}${'added p50'.padEnd(22)}requests/s`)
  for (const { size, cpu, addedP50, perSecond } of rows)
    console.log(`  ${size.padEnd(10)}${show(cpu)}${show(addedP50)}${show(perSecond)}`.trimEnd())
  console.log(
    `  ${machine}; ${pinned ? 'proxies on one core, load and replica on another' : 'nothing pinned'}; on shared machines 5 % are noise`,
  )
}
