/**
 * `npm run soak:informer [-- --minutes N --seed N]`: two informers at a real API server that is written to, stopped, frozen, compacted
 * and cut off at random. At each check point the writes and faults rest, and what the informers told and hold is compared with what
 * the server has. As root, with what `scripts/setup-peers cluster` builds. Ends with 1 when something was missed, repeated or held.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openKubeClient } from '../src/kube/open-kube-client.ts'
import { writeKubeconfig } from '../test/kit/cluster/api-access.ts'
import { type Cluster, openCluster } from '../test/kit/cluster/open-cluster.ts'
import { createRandom } from '../test/kit/random.ts'
import { openBadLine } from './informer-soak/bad-line.ts'
import { findDifferences, findRepeated, findUntold, readTruth } from './informer-soak/comparison.ts'
import { type FaultCounts, faultNames, playFaults } from './informer-soak/faults.ts'
import type { Look, ProcessLook } from './informer-soak/look.ts'
import { startObserver } from './informer-soak/observer.ts'
import { printEnd, printHead, printRow } from './informer-soak/report.ts'
import { createWriter } from './informer-soak/writer.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' } },
})
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error(`--minutes takes up to 1440, not ${values.minutes}`)
const seed = Number(values.seed)
if (!Number.isInteger(seed)) throw new Error(`--seed takes a whole number, not ${values.seed}`)

/** Between two check points. */
const periodMs = Math.min(120_000, minutes * 60_000)
/** Seven check points, of which the first does not count: with fewer nothing can be said of the heap. */
const leastHeapMinutes = 14
/** A watch that is silent is given up after 90 s, and then tried again. */
const convergeMs = 150_000
/** Two watches, and calls whose connections are kept for another. */
const mostHeld = { sockets: 8, timers: 12, listeners: 10, heapGrowth: 1.3 }

const ends: (() => unknown)[] = []
try {
  const skip = (reason: string): void => {
    throw new Error(reason)
  }
  const cluster = await openCluster(
    { after: (end) => void ends.push(end), skip },
    { apiServerFlags: ['--etcd-compaction-interval=1m'] },
  )
  if (cluster !== undefined) process.exitCode = (await soak(cluster)) ? 0 : 1
} finally {
  for (const end of ends.toReversed()) await end()
}

async function soak(cluster: Cluster): Promise<boolean> {
  const namespace = 'soak'
  await cluster.kubectl(['create', 'namespace', namespace])
  await cluster.applyNodes([{ name: 'fake-1' }, { name: 'fake-2' }])
  await cluster.kubectl(['wait', '--for=create', '--timeout=30s', '-n', namespace, 'serviceaccount/default'])
  const line = await openBadLine(Number(new URL(cluster.url).port))
  ends.push(() => line.close())
  const kubeconfig = join(cluster.keys, 'bad-line.kubeconfig')
  writeKubeconfig(kubeconfig, `https://127.0.0.1:${line.port}`, cluster.keys, 'admin')
  const client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace, env: {} })
  ends.push(() => client.close())
  const observer = await startObserver({ kubeconfig, namespace, seed })
  const writer = createWriter(client, createRandom(seed + 1))
  const world = { cluster, line, random: createRandom(seed + 2) }
  const faultCounts = Object.fromEntries(faultNames.map((name) => [name, 0])) as FaultCounts
  const wrong: string[] = []
  const held: ProcessLook[] = []

  /** How long it took until they knew what the server has; differences that stay are wrong. */
  const converge = async (): Promise<number> => {
    const startMs = performance.now()
    for (;;) {
      const differences = findDifferences(await observer.look(), await readTruth(client))
      const tookMs = performance.now() - startMs
      if (differences.length === 0) return tookMs
      if (tookMs > convergeMs) {
        wrong.push(...differences)
        return tookMs
      }
      await sleep(250)
    }
  }
  const check = async (startedMs: number): Promise<void> => {
    const wrongBefore = wrong.length
    const tookMs = await converge()
    const look: Look = await observer.drain()
    const confirmed = writer.drain()
    const untold = look.kinds.map((kind) => findUntold(kind, confirmed))
    const found = [
      ...look.kinds.flatMap(({ breaches }) => breaches),
      ...look.kinds.flatMap(findRepeated),
      ...untold.flatMap(({ missed }) => missed),
      ...findHeld(look.process),
    ]
    wrong.push(...found)
    held.push(look.process)
    const passedOver = untold.reduce((sum, each) => sum + each.passedOver, 0)
    const minute = (performance.now() - startedMs) / 60_000
    printRow({ minute, confirmed: confirmed.length, passedOver, tookMs, look, wrong: wrong.length - wrongBefore })
  }

  const heap =
    minutes < leastHeapMinutes ? `; whether the heap grows shows only from ${leastHeapMinutes} minutes on` : ''
  console.log(`seed ${seed}, ${minutes} minutes${heap}`)
  printHead()
  const startedMs = performance.now()
  while (performance.now() - startedMs < minutes * 60_000 && wrong.length === 0) {
    const period = new AbortController()
    const work = [writer.run(period.signal), playFaults(world, faultCounts, period.signal)]
    const end = sleep(periodMs, undefined, { signal: period.signal }).catch(() => {})
    await Promise.race([end, ...work])
    period.abort()
    await Promise.all(work)
    await check(startedMs)
  }
  if (isGrowing(held)) wrong.push(`the heap grows: ${held.map(({ heapBytes }) => heapBytes).join(', ')} bytes`)
  if (!(await observer.end())) wrong.push('closed informers kept their process alive')
  printEnd({ writes: writer.counts, faults: faultCounts, wrong })
  return wrong.length === 0
}

function findHeld(held: ProcessLook): string[] {
  return (['sockets', 'timers', 'listeners'] as const)
    .filter((name) => held[name] > mostHeld[name])
    .map((name) => `${held[name]} ${name} are held, more than ${mostHeld[name]}`)
}

/** The least of the last third against the most of the first, without the very first, in which code is still being compiled. */
function isGrowing(held: readonly ProcessLook[]): boolean {
  const sizes = held.slice(1).map(({ heapBytes }) => heapBytes)
  if (sizes.length < 6) return false
  const third = Math.floor(sizes.length / 3)
  return Math.min(...sizes.slice(-third)) > mostHeld.heapGrowth * Math.max(...sizes.slice(0, third))
}
