/**
 * `npm run bench:serve [-- --rounds N --slice MS --json]`: one model in a bare loop and through one served replica, in
 * turns within one run, so that the ratios hold whatever the machine does meanwhile. Closed loop with three connections for
 * throughput, then an open loop at half of what was reached for latency.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { systemClock } from '../src/base/clock.ts'
import { type LoadConnection, openLoadConnection, renderPost } from '../src/bench/connection.ts'
import { runClosedLoop } from '../src/bench/closed-loop.ts'
import { runOpenLoop } from '../src/bench/open-loop.ts'
import type { ReplicaAnnouncement, ReplicaConfig } from '../src/serve/replica-config.ts'
import { machine, median, summarize } from './figures.ts'

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
const modelPath = join(root, 'examples', 'image-classifier', 'model')
const shape = [1, 3, 224, 224]
const inferPath = '/v2/models/image-classifier/infer'
const folder = mkdtempSync(join(tmpdir(), 'towline-bench-'))
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const bare = fork(join(import.meta.dirname, 'bare-loop-process.ts'), [join(modelPath, 'model.onnx'), shape.join(',')])
const replica = startReplica()
try {
  await once(bare, 'message')
  const port = await waitForPort()
  const requests = await renderRequests()
  const connections = await Promise.all(Array.from({ length: 3 }, () => openLoadConnection(port)))
  const shares = await measureShares(requests, connections)
  const latency = await measureLatency(requests.binary, port, shares.binaryPerSecond)
  for (const connection of connections) connection.close()
  print(shares, latency)
} finally {
  bare.disconnect()
  replica.kill('SIGTERM')
  await once(replica, 'close')
  rmSync(folder, { recursive: true })
}

function startReplica(): ChildProcess {
  const config: ReplicaConfig = {
    service: 'bench',
    replica: 'bench',
    revision: 1,
    modelPath,
    modelName: 'image-classifier',
    workers: 1,
    threadsPerWorker: 1,
    host: '127.0.0.1',
    port: 0,
    metricsPort: 0,
    timeoutMs: 30_000,
    maxBodyBytes: 64 << 20,
    maxQueuedRows: 1024,
    drainTimeoutMs: 5000,
    logFile: join(folder, 'replica.log'),
    announceFile: join(folder, 'state.json'),
  }
  const configFile = join(folder, 'config.json')
  writeFileSync(configFile, JSON.stringify(config))
  return spawn(process.execPath, [join(root, 'src', 'serve', 'replica-process.ts'), configFile], { stdio: 'inherit' })
}

async function waitForPort(): Promise<number> {
  for (let tries = 0; tries < 600; tries++) {
    await systemClock.sleep(50)
    try {
      const state = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as ReplicaAnnouncement // the replica's own
      if (state.state === 'Serving') return state.port
      if (state.state === 'Failed') throw new Error(state.message)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  throw new Error('the replica was not ready within 30 s')
}

async function renderRequests() {
  const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () =>
    Math.fround(Math.random() * 2 - 1),
  )
  const bytes = Buffer.from(data.buffer)
  const input = { name: 'input', shape, datatype: 'FP32' }
  const header = Buffer.from(
    JSON.stringify({
      inputs: [{ ...input, parameters: { binary_data_size: bytes.length } }],
      parameters: { binary_data_output: true },
    }),
  )
  const binaryHeaders = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(header.length),
  }
  const json = Buffer.from(JSON.stringify({ inputs: [{ ...input, data: [...data] }] }))
  const photo = join(root, 'examples', 'image-classifier', 'photos', 'coffee.jpg')
  const jpeg = async (width: number, height: number) =>
    renderPost(
      inferPath,
      { 'content-type': 'image/jpeg' },
      await sharp(photo).resize(width, height, { fit: 'cover' }).jpeg({ quality: 85 }).toBuffer(),
    )
  return {
    binary: renderPost(inferPath, binaryHeaders, Buffer.concat([header, bytes])),
    json: renderPost(inferPath, { 'content-type': 'application/json' }, json),
    jpeg224: await jpeg(224, 224),
    jpeg640: await jpeg(640, 480),
  }
}

async function measureBare(): Promise<number> {
  bare.send(sliceMs)
  const [perSecond] = (await once(bare, 'message')) as [number] // what bare-loop-process sends
  return perSecond
}

async function measureServed(request: Uint8Array, connections: readonly LoadConnection[]): Promise<number> {
  const { answered, statuses, durationMs } = await runClosedLoop(connections, {
    request,
    durationMs: sliceMs,
    clock: systemClock,
  })
  if (statuses.size !== 1 || !statuses.has(200)) throw new Error(`answers by status: ${JSON.stringify([...statuses])}`)
  return (answered * 1000) / durationMs
}

async function measureShares(
  requests: Awaited<ReturnType<typeof renderRequests>>,
  connections: readonly LoadConnection[],
) {
  const shares = new Map<string, number[]>()
  const barePerSecond: number[] = []
  const binaryPerSecond: number[] = []
  // The first slices warm both sides and count for nothing.
  await measureServed(requests.binary, connections)
  for (let round = 1; round <= rounds; round++) {
    let before = await measureBare()
    barePerSecond.push(before)
    for (const [name, request] of Object.entries(requests)) {
      const served = await measureServed(request, connections)
      const after = await measureBare()
      if (name === 'binary') binaryPerSecond.push(served)
      // Against the mean of the bare slices on both sides: a machine that slows down slows both.
      shares.set(name, [...(shares.get(name) ?? []), served / ((before + after) / 2)])
      before = after
    }
    say(
      `  round ${round} of ${rounds}   ${[...shares].map(([name, list]) => `${name} ${list.at(-1)?.toFixed(3)}`).join('   ')}`,
    )
  }
  return { shares, barePerSecond: median(barePerSecond), binaryPerSecond: median(binaryPerSecond) }
}

async function measureLatency(request: Uint8Array, port: number, saturation: number) {
  const load = {
    request,
    arrivals: 'poisson',
    timeoutMs: 30_000,
    maxConnections: 32,
    connect: async () => await openLoadConnection(port),
    durationMs: Math.max(5000, sliceMs * 4),
    clock: systemClock,
    ratePerSecond: saturation / 2,
    random: Math.random,
  } as const
  const { latency, statuses, failures } = await runOpenLoop(load)
  if (statuses.size !== 1 || !statuses.has(200) || failures.size > 0)
    throw new Error(`answers by status: ${JSON.stringify([...statuses, ...failures])}`)
  const runMs = 1000 / saturation
  const at = (percentile: number): { ms: number; runs: number } => {
    const ms = latency.histogram.getValueAtPercentile(percentile) / 1000
    return { ms, runs: ms / runMs }
  }
  return { p50: at(50), p99: at(99), ratePerSecond: load.ratePerSecond }
}

function print(
  result: Awaited<ReturnType<typeof measureShares>>,
  latency: Awaited<ReturnType<typeof measureLatency>>,
): void {
  const rows = [...result.shares].map(([name, list]) => ({ name, ...summarize(list) }))
  if (values.json)
    return console.log(JSON.stringify({ machine, rounds, sliceMs, ...result, shares: rows, latency }, undefined, 2))
  console.log(
    `one replica, one worker thread, against the bare loop (${result.barePerSecond.toFixed(1)} runs/s); median of ${rounds} rounds [lowest, highest]`,
  )
  for (const { name, median: middle, lowest, highest } of rows) {
    console.log(`  ${name.padEnd(10)} ${middle.toFixed(3)}   [${lowest.toFixed(3)}, ${highest.toFixed(3)}]`)
  }
  const show = ({ ms, runs }: { ms: number; runs: number }): string => `${ms.toFixed(1)} ms (${runs.toFixed(1)} runs)`
  console.log(
    `  open loop at ${latency.ratePerSecond.toFixed(0)}/s, binary: p50 ${show(latency.p50)}   p99 ${show(latency.p99)}, from the intended send time`,
  )
  console.log(
    `  ${machine}; one core serves HTTP and sends the load, the other runs the model; on shared machines 5 % are noise`,
  )
}
