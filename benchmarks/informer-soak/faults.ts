import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../test/kit/cluster/open-cluster.ts'
import { compactEtcd } from '../../test/kit/fake-api-server/conformance/real-api.ts'
import type { BadLine } from './bad-line.ts'

export const faultNames = ['stop', 'freeze', 'cut', 'cutInside', 'silence', 'refuse', 'slow', 'forget'] as const
export type FaultName = (typeof faultNames)[number]

export type FaultCounts = Record<FaultName, number>

export interface FaultWorld {
  readonly cluster: Cluster
  readonly line: BadLine
  readonly random: () => number
}

/** Does one, and resolves when it is over. What it leaves behind is whole again, but for connections. */
export const faults: Readonly<Record<FaultName, (world: FaultWorld) => Promise<void>>> = {
  stop: async ({ cluster, random }) => {
    await cluster.stopApiServer()
    await sleep(5000 * random())
    await cluster.startApiServer()
  },
  freeze: async ({ cluster, random }) => {
    cluster.freezeApiServer()
    await sleep(1000 + 15_000 * random())
    cluster.thawApiServer()
  },
  cut: async ({ line }) => await Promise.resolve(line.cut()),
  cutInside: async ({ line }) => await Promise.resolve(line.cutInside()),
  silence: async ({ line }) => await Promise.resolve(line.silence()),
  refuse: async ({ line, random }) => {
    line.refuse(true)
    line.cut()
    await sleep(4000 * random())
    line.refuse(false)
  },
  slow: async ({ line, random }) => {
    line.slow(20 + 400 * random())
    if (random() < 0.5) line.cut()
    await sleep(6000 * random())
    line.slow(0)
  },
  // A server that has just started remembers nothing but what etcd has: versions before the compaction are answered with 410.
  forget: async ({ cluster, line, random }) => {
    line.refuse(true)
    line.cut()
    await sleep(1500)
    await cluster.stopApiServer()
    await compactEtcd(cluster.etcdUrl)
    await cluster.startApiServer()
    line.refuse(false)
    if (random() < 0.5) {
      line.slow(200)
      await sleep(1500)
      line.cut()
      line.slow(0)
    }
  },
}

/** One after the other with pauses between, each name about as often, until the signal. */
export async function playFaults(world: FaultWorld, counts: FaultCounts, signal: AbortSignal): Promise<void> {
  let deck: FaultName[] = []
  while (!signal.aborted) {
    try {
      await sleep(500 + 7000 * world.random(), undefined, { signal })
    } catch {
      return
    }
    if (deck.length === 0) deck = shuffle(faultNames, world.random)
    const name = deck.pop() ?? 'cut'
    await faults[name](world)
    counts[name]++
  }
}

function shuffle<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
