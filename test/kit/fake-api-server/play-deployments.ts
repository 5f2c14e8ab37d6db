import type { KubeObject, Resource } from '../../../src/kube/object.ts'
import { resources } from '../../../src/kube/resources.ts'
import { hashOf } from '../../../src/base/canonical.ts'
import type { Scope } from '../scope.ts'
import type { FakeApiServer } from './fake-api-server.ts'
import { type JsonObject, type StoredObject, objectAt } from './objects/stored-object.ts'

const { deployments, pods, replicaSets } = resources

/** What becomes of a pod: `Ready`, or a status that says why it is not. */
export type Fate = 'Ready' | JsonObject

export interface PlayOptions {
  /** Default: all get ready. Asked again at each change. */
  readonly fate?: (pod: StoredObject) => Fate
  /** Where pods go. Default: `node-1`. */
  readonly node?: string
}

/**
 * Plays the controllers of Deployments, the scheduler and the kubelet until the test is over: each change of a Deployment is answered, before the next request is
 * served, with the ReplicaSet of its template, its pods and their status. Old pods go when all new ones are ready; there is no surge that waits and no room that ends.
 */
export function playDeployments(
  scope: Pick<Scope, 'after'>,
  server: FakeApiServer,
  { fate = () => 'Ready', node = 'node-1' }: PlayOptions = {},
): void {
  let isPlaying = false
  const play = (): void => {
    // What it writes itself is no news.
    if (isPlaying) return
    isPlaying = true
    try {
      for (const { metadata, spec } of server.objects.list(pods)) {
        const isHere = objectAt({ spec }, 'spec')['nodeName'] === node
        // The kubelet's word is what a deleted pod waits for.
        if (metadata.deletionTimestamp !== undefined && isHere)
          server.objects.remove(pods, metadata.name, metadata.namespace)
      }
      for (const deployment of server.objects.list(deployments)) playOne(server, deployment, { fate, node })
    } finally {
      isPlaying = false
    }
  }
  scope.after(
    server.objects.onChange(({ kind }) => {
      if (['deployments', 'pods'].includes(kind.plural)) play()
    }),
  )
  play()
}

function playOne({ objects }: FakeApiServer, deployment: StoredObject, options: Required<PlayOptions>): void {
  const { name, namespace, uid, deletionTimestamp } = deployment.metadata
  if (deletionTimestamp !== undefined) return
  const {
    replicas = 1,
    template,
    selector,
  } = deployment['spec'] as { replicas?: number; template: JsonObject; selector: JsonObject }
  const own = objects.list(replicaSets, namespace).filter((set) => isOwned(set, uid))
  const hash = hashOf(template).slice(0, 10)
  const current = own.find((set) => set.metadata.name === `${name}-${hash}`) ?? createSet()
  const young = fillSet(current, replicas)
  const ready = young.filter(isReady).length
  const old = own.filter((set) => set.metadata.name !== current.metadata.name)
  if (ready === replicas) old.forEach((set) => fillSet(set, 0))
  const left = old.flatMap((set) => objects.list(pods, namespace).filter((pod) => isOwned(pod, set.metadata.uid)))
  const available = ready + left.filter(isReady).length
  const isDone = ready === replicas && left.length === 0
  objects.setStatus(
    deployments,
    name,
    {
      observedGeneration: deployment.metadata.generation,
      replicas: young.length + left.length,
      updatedReplicas: young.length,
      readyReplicas: available,
      availableReplicas: available,
      unavailableReplicas: Math.max(0, replicas - available),
      conditions: [
        {
          type: 'Available',
          status: available >= replicas ? 'True' : 'False',
          reason: available >= replicas ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        },
        { type: 'Progressing', status: 'True', reason: isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated' },
      ],
    },
    namespace,
  )

  function createSet(): StoredObject {
    const labels = { ...objectAt(template, 'metadata', 'labels'), 'pod-template-hash': hash }
    const revision = String(own.length + 1)
    const metadata = {
      name: `${name}-${hash}`,
      labels,
      annotations: { 'deployment.kubernetes.io/revision': revision },
      ...ownedBy(deployment),
    }
    const spec = {
      replicas,
      selector: { matchLabels: { ...objectAt(selector, 'matchLabels'), 'pod-template-hash': hash } },
      template: { ...template, metadata: { ...objectAt(template, 'metadata'), labels } },
    }
    return put(replicaSets, { metadata, spec })
  }

  function put(resource: Resource, object: JsonObject): StoredObject {
    const metadata = { ...objectAt(object, 'metadata'), namespace }
    return objects.put(resource, { ...object, metadata } as KubeObject, { manager: 'kube-controller-manager' })
  }

  function fillSet(set: StoredObject, wanted: number): readonly StoredObject[] {
    const { template } = set['spec'] as { template: JsonObject }
    const there = objects
      .list(pods, namespace)
      .filter((pod) => isOwned(pod, set.metadata.uid) && pod.metadata.deletionTimestamp === undefined)
    for (const pod of there.slice(wanted)) objects.remove(pods, pod.metadata.name, namespace)
    const missing = Array.from({ length: Math.max(0, wanted - there.length) }, () =>
      put(pods, {
        metadata: {
          generateName: `${set.metadata.name}-`,
          labels: objectAt(template, 'metadata', 'labels'),
          annotations: objectAt(template, 'metadata', 'annotations'),
          ...ownedBy(set),
        },
        spec: { ...objectAt(template, 'spec'), nodeName: options.node },
      }),
    )
    const all = [...there.slice(0, wanted), ...missing].map((pod) => {
      const end = options.fate(pod)
      return objects.setStatus(pods, pod.metadata.name, end === 'Ready' ? readyStatus(pod) : end, namespace)
    })
    const readyReplicas = all.filter(isReady).length
    put(replicaSets, { ...set, spec: { ...objectAt(set, 'spec'), replicas: wanted } })
    objects.setStatus(
      replicaSets,
      set.metadata.name,
      { replicas: all.length, readyReplicas, availableReplicas: readyReplicas },
      namespace,
    )
    return all
  }
}

function ownedBy({ apiVersion, kind, metadata: { name, uid } }: StoredObject): JsonObject {
  return { ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }] }
}

function isOwned({ metadata }: StoredObject, uid: string): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false
}

function readyStatus(pod: StoredObject): JsonObject {
  const containers = objectAt(pod, 'spec')['containers'] as readonly { readonly name: string; readonly image: string }[]
  return {
    phase: 'Running',
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' })),
    containerStatuses: containers.map(({ name, image }) => ({
      name,
      image,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: pod.metadata.creationTimestamp } },
    })),
  }
}

function isReady(pod: StoredObject): boolean {
  const conditions = (objectAt(pod, 'status')['conditions'] ?? []) as readonly JsonObject[]
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}
