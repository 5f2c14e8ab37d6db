/** The informers of the soak, alone in a process, so that what they hold on to can be counted. */
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../src/base/clock.ts'
import { type Informer, openInformer } from '../src/kube/informer/open-informer.ts'
import type { KubeObject, Resource } from '../src/kube/object.ts'
import { openKubeClient } from '../src/kube/open-kube-client.ts'
import { resources } from '../src/kube/resources.ts'
import { createRandom } from '../test/kit/random.ts'
import { type Ledger, createLedger, identify } from './informer-soak/ledger.ts'
import type { KindLook, Look, ObserverOrder, ObserverSettings, ProcessLook } from './informer-soak/look.ts'

interface Watched {
  readonly resource: Resource
  readonly informer: Informer<KubeObject>
  readonly ledger: Ledger
  readonly gaps: [string, string][]
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const ending = new AbortController()

const settings = JSON.parse(process.argv[2] ?? '{}') as ObserverSettings // written by `observer.ts`
const random = createRandom(settings.seed)
const client = await openKubeClient({
  kubeconfig: settings.kubeconfig,
  namespace: settings.namespace,
  env: {},
  pageSize: 25,
})
const watched = [
  // The usual patience, and a short one that also gives up watches in which nothing happens.
  open(resources.pods, {}),
  open(resources.configMaps, { idleMs: 20_000, query: { labelSelector: 'soak=yes' } }),
]
process.on('message', (order: ObserverOrder) => {
  if (order === 'End') void end()
  else process.send?.(look(order === 'Drain'))
})
await Promise.all(watched.map(({ informer }) => informer.synced))
process.send?.('synced')

function open(resource: Resource, more: object): Watched {
  const ledger = createLedger(resource.plural)
  const gaps: [string, string][] = []
  const informer: Informer<KubeObject> = openInformer<KubeObject>({
    client: {
      ...client,
      list: async (kind, query) => {
        const answer = await client.list<never>(kind, query)
        gaps.push([informer.stats.resourceVersion, answer.resourceVersion])
        return answer
      },
    },
    resource,
    clock: systemClock,
    signal: ending.signal,
    random,
    indexes: { group: ({ metadata }) => [metadata?.labels?.['group'] ?? 'none'] },
    onChange: async (change) => {
      ledger.take(change)
      // Whoever acts on changes takes time, now and then much.
      const luck = random()
      if (luck < 0.3) await systemClock.sleep(luck < 0.002 ? 2000 : 5, ending.signal)
    },
    ...more,
  })
  return { resource, informer, ledger, gaps }
}

function look(isDrain: boolean): Look {
  const kinds = watched.map(({ resource, informer, ledger, gaps }): KindLook => {
    const stored = informer.store.list().map((object): readonly [string, string] => {
      const { key, uid, version } = identify(object)
      return [key, `${uid}@${version}`]
    })
    const breaches = [...ledger.breaches, ...findIndexBreaches(informer)]
    if (informer.store.size !== ledger.known().size || stored.some(([key, is]) => ledger.known().get(key) !== is))
      breaches.push(`${resource.plural}: the store is not what was told`)
    const told = isDrain ? ledger.drain() : []
    const passed = isDrain ? gaps.splice(0) : []
    return { plural: resource.plural, stats: { ...informer.stats }, breaches, stored, told, gaps: passed }
  })
  if (isDrain) collectGarbage()
  return { kinds, process: countHeld() }
}

function findIndexBreaches({ store }: Informer<KubeObject>): string[] {
  const groups = new Set(store.list().map(({ metadata }) => metadata?.labels?.['group'] ?? 'none'))
  const found = [...groups].flatMap((group) => store.byIndex('group', group))
  return found.length === store.size ? [] : [`the index has ${found.length} objects, and the store ${store.size}`]
}

function countHeld(): ProcessLook {
  const active = process.getActiveResourcesInfo()
  const { heapUsed, rss } = process.memoryUsage()
  return {
    sockets: active.filter((name) => name.startsWith('TCP') || name.startsWith('TLS')).length,
    timers: active.filter((name) => name === 'Timeout').length,
    listeners: getEventListeners(ending.signal, 'abort').length,
    heapBytes: heapUsed,
    residentBytes: rss,
  }
}

async function end(): Promise<void> {
  await Promise.all(watched.map(({ informer }) => informer.close()))
  await client.close()
  // From here on the process has to end by itself.
  process.disconnect()
}
