import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { needsOfPod } from './needs-of-pod.ts'
import { type OwnObjects, type OwnQuery, listOwn } from './own-objects.ts'
import { nameObject } from './resource-of.ts'

/** Kinds that come and go with a spec. A Deployment and a Service are always there. */
const comingAndGoing: readonly Resource[] = [
  resources.replicaSets,
  resources.horizontalPodAutoscalers,
  resources.podDisruptionBudgets,
  resources.httpRoutes,
  resources.networkPolicies,
  resources.configMaps,
  resources.serviceAccounts,
]

export interface Stale {
  readonly stale: readonly KubeObject[]
  /** Kinds that may not be listed, by their plural. */
  readonly unseen: readonly string[]
  readonly replicaSets: readonly ReplicaSet[]
}

/** What a deploy beside this one has just made is not needed by any pod yet, and will be in a moment. */
const freshMs = 600_000

/** What this service has and `rendered` leaves out. What an earlier revision needs to come back stays. */
export async function findStale(
  client: KubeClient,
  rendered: readonly KubeObject[],
  query: OwnQuery,
  nowMs = Date.now(),
): Promise<Stale> {
  const own = await listOwn(client, comingAndGoing, query)
  const replicaSets = own.objects.filter(
    ({ kind }) => kind === 'ReplicaSet',
  ) as readonly KubeObject[] as readonly ReplicaSet[]
  return { stale: chooseStale(own, rendered, nowMs), unseen: own.unseen, replicaSets }
}

/** Pure. */
export function chooseStale(
  { objects, unseen }: OwnObjects,
  rendered: readonly KubeObject[],
  nowMs: number,
): readonly KubeObject[] {
  const kept = new Set(rendered.map(nameObject))
  const sets = objects.filter(({ kind }) => kind === 'ReplicaSet')
  // Who may not see what is needed takes nothing away.
  const needed = unseen.includes(resources.replicaSets.plural) ? undefined : needsOf(sets)
  return objects.filter((object) => {
    if (object.kind === 'ReplicaSet' || kept.has(nameObject(object))) return false
    const isOfPods = object.kind === 'ConfigMap' || object.kind === 'ServiceAccount'
    return !isOfPods || (needed?.has(nameObject(object)) === false && !isFresh(object, nowMs))
  })
}

function isFresh({ metadata }: KubeObject, nowMs: number): boolean {
  return nowMs - Date.parse(metadata?.creationTimestamp ?? '') < freshMs
}

/** By what pods of these would be made with. */
function needsOf(sets: readonly KubeObject[]): ReadonlySet<string> {
  const specs = sets.map((set) => (set as ReplicaSet).spec?.template?.spec).filter((spec) => spec !== undefined)
  return new Set(specs.flatMap(needsOfPod).map(({ kind, name }) => `${kind} ${name}`))
}
