import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Event } from 'kubernetes-types/events/v1.js'
import { type Clock, systemClock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import { explainLook } from '../../cluster/explain-look.ts'
import type { ClusterObservation } from '../../cluster/observation.ts'
import { observeService } from '../../cluster/observe.ts'
import { type ServicePlace, findDeployment, listDeployments } from '../../cluster/orders/find-service.ts'
import { removeService } from '../../cluster/orders/remove-service.ts'
import { restartService } from '../../cluster/orders/restart-service.ts'
import { rollbackService } from '../../cluster/orders/rollback-service.ts'
import type { RollbackWish } from '../../cluster/orders/rollback-target.ts'
import { scaleService } from '../../cluster/orders/scale-service.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { type KubeClientOptions, openKubeClient } from '../../kube/open-kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { keys } from '../../render/names.ts'
import type { OrderAnswer, ServiceOrder, ServiceStatus } from '../api.ts'
import type { Place, ServiceControl } from '../service-control.ts'
import { describeEvents } from './cluster-events.ts'
import { inferThroughApi } from './infer-through-api.ts'
import { loadOfService } from './load.ts'
import { describeHistory } from './revisions.ts'
import { describeService } from './service-status.ts'
import { watchService } from './watch-service.ts'

/** A namespace of a cluster, asked like an engine. Reads the access, and connects at the first question. */
export async function connectCluster(
  options: KubeClientOptions = {},
  clock: Clock = systemClock,
): Promise<ServiceControl> {
  return createClusterControl(await openKubeClient(options, clock), clock)
}

export function createClusterControl(client: KubeClient, clock: Clock): ServiceControl {
  const { context, namespace, server } = client
  const place: Place = { kind: 'Cluster', context, namespace, server }
  const look = async (name: string, signal?: AbortSignal): Promise<ClusterObservation> =>
    await observeService(client, { namespace, name, clock, ...(signal === undefined ? {} : { signal }) })
  const describe = async (observation: ClusterObservation, signal?: AbortSignal): Promise<ServiceStatus> =>
    describeService(observation, await explainLook(client, observation, signal))
  const status = async (name: string): Promise<ServiceStatus> => await describe(await look(name))
  const namesOf = async (name: string | undefined): Promise<readonly string[]> => {
    const deployments =
      name === undefined
        ? await listDeployments(client, { namespace })
        : [await findDeployment(client, { namespace, name })]
    return deployments.map(({ metadata }) => metadata?.name ?? '')
  }
  return {
    place,
    services: async (name) => {
      const names = await namesOf(name)
      return await mapSome(names, status)
    },
    scale: async (name, replicas) => {
      await scaleService(client, { namespace, name, replicas })
      return await status(name)
    },
    order: async (name, order) => await give(client, { name, order, clock, status }),
    history: async (name) => {
      await findDeployment(client, { namespace, name })
      return describeHistory(await look(name))
    },
    load: async (name) => {
      const names = await namesOf(name)
      const services = await mapSome(names, async (each) => await loadOfService(client, await status(each)))
      return { atMs: clock.nowMs(), services }
    },
    events: async (name, count) => {
      await findDeployment(client, { namespace, name })
      const { items } = await client.list<Event>(resources.events, { namespace })
      return describeEvents(items, name, count)
    },
    remove: async (name) => await removeService(client, { namespace, name, clock }),
    watch: async function* (name, signal) {
      await findDeployment(client, { namespace, name, ...(signal === undefined ? {} : { signal }) })
      yield* watchService(name, { look, describe, clock, signal })
    },
    infer: async (name, payload, query) => {
      const deployment = await findDeployment(client, { namespace, name })
      return await inferThroughApi(client, deployment, payload, query)
    },
    close: async () => await client.close(),
  }
}

/** Services that are looked at side by side: each look is some eight requests, with a connection each. */
const maxLooks = 4

async function mapSome<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<readonly U[]> {
  const left = [...items.entries()]
  const done: U[] = []
  const run = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) done[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: maxLooks }, run))
  return done
}

interface Given {
  readonly name: string
  readonly order: ServiceOrder
  readonly clock: Clock
  status(name: string): Promise<ServiceStatus>
}

/** A Deployment goes one way, at once: what needs steps is refused by name. */
async function give(client: KubeClient, given: Given): Promise<OrderAnswer> {
  const { name, order, clock, status } = given
  const { namespace } = client
  switch (order.verb) {
    case 'Restart':
      await awaitSeen(client, await restartService(client, { namespace, name, clock }), clock)
      return { nothing: null, status: await status(name) }
    case 'Rollback':
      return await goBack(client, { namespace, name, from: order.from ?? undefined, to: order.to ?? undefined }, given)
    case 'Abort': {
      await findDeployment(client, { namespace, name })
      const now = await status(name)
      if (now.rollout === null) return { nothing: 'no rollout is going on', status: now }
      if (order.plan !== null && order.plan !== now.rollout.id)
        return { nothing: `the rollout ${order.plan} is over`, status: now }
      return await goBack(client, { namespace, name }, given)
    }
    default: {
      await findDeployment(client, { namespace, name })
      throw new TowlineError('TL_ROLLOUT_REFUSED', `${name} is a Deployment, which ${refusals[order.verb].why}`, {
        hint: refusals[order.verb].hint(name),
      })
    }
  }
}

async function goBack(
  client: KubeClient,
  query: ServicePlace & RollbackWish,
  { clock, status }: Given,
): Promise<OrderAnswer> {
  const { nothing, deployment, label, unmarked } = await rollbackService(client, query)
  if (nothing === null) {
    await awaitSeen(client, deployment, clock)
    await insistOn(client, query, label)
  }
  const note = `the revision that is left cannot be marked, so that another rollback may go back to it: ${unmarked}`
  return { nothing, status: await status(query.name), ...(unmarked === undefined ? {} : { note }) }
}

/** What somebody else deployed meanwhile is not what came of this. */
async function insistOn(client: KubeClient, place: ServicePlace, label: string): Promise<void> {
  const { spec } = await findDeployment(client, place)
  const now = spec?.template.metadata?.labels?.[keys.revision]
  if (now !== label)
    throw new TowlineError(
      'TL_CLUSTER_CONFLICT',
      `${place.name} went back to ${label}, and was set to ${now} at once`,
      {
        hint: `\`towline status ${place.name}\` shows what goes on now; somebody else deploys it, too`,
      },
    )
}

const seenEveryMs = 100
const seenWithinMs = 10_000

/** Until its controller has seen what was written: before that nothing of it shows, and whoever looks takes it for done. */
async function awaitSeen(client: KubeClient, { metadata }: Deployment, clock: Clock): Promise<void> {
  const { name = '', namespace = '', generation = 0 } = metadata ?? {}
  const endMs = clock.monotonicMs() + seenWithinMs
  while (clock.monotonicMs() < endMs) {
    const now = await client.get<Deployment>(resources.deployments, name, { namespace })
    if ((now?.status?.observedGeneration ?? 0) >= generation) return
    await clock.sleep(seenEveryMs)
  }
  throw new TowlineError('TL_CLUSTER_FAILED', `the controller of Deployment ${name} does not answer`, {
    hint: 'what was asked is written, and done once it is back',
  })
}

const refusals = {
  Promote: {
    why: 'has no steps to go past: a pod is replaced once the one before it is ready',
    hint: (name: string) => `\`towline status ${name} --watch\` follows it`,
  },
  Pause: {
    why: 'is held by its spec',
    hint: () => '`towline deploy` with `paused: true` in the spec',
  },
  Resume: {
    why: 'is held by its spec',
    hint: () => '`towline deploy` with `paused: false` in the spec',
  },
  Retry: {
    why: 'does not remember specs',
    hint: () => '`towline deploy` tries a spec again, also one that failed before',
  },
} as const
