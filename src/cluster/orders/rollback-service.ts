import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { serviceLabel } from '../apply/ownership.ts'
import type { ClusterObservation } from '../observation.ts'
import { managers, marks } from '../managers.ts'
import { type ClusterRevision, findTurn, listRevisions } from '../revisions.ts'
import { type ServicePlace, findDeployment } from './find-service.ts'

export interface RollbackQuery extends ServicePlace {
  /** Number of the Deployment's; absent: the last one before that was not given up. */
  readonly to?: number | undefined
}

export interface Rollback {
  readonly from: number
  /** It gets a new number as it comes back. */
  readonly to: number
  /** Label `towline.dev/revision`, to wait for. */
  readonly label: string
  /** As it is stored now. */
  readonly deployment: Deployment
}

/** What a person wrote or a spec said; the rest of the annotations are controllers' own notes. */
const notOurs = /^(deployment\.kubernetes\.io\/|kubectl\.kubernetes\.io\/last-applied-configuration$)/

/**
 * Brings the pods of an earlier revision back, as the spec's own manager: a later deploy then owns all of it, and takes away again
 * what its spec does not say. The number of replicas stays. TL_ROLLOUT_REFUSED: there is nothing to go back to.
 */
export async function rollbackService(client: KubeClient, query: RollbackQuery): Promise<Rollback> {
  const { namespace, name, to, signal } = query
  const cut = signal === undefined ? {} : { signal }
  const deployment = await findDeployment(client, query)
  const { items } = await client.list<ReplicaSet>(resources.replicaSets, {
    namespace,
    labelSelector: `${serviceLabel}=${name}`,
    ...cut,
  })
  const own = items.filter(
    ({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => uid === deployment.metadata?.uid) === true,
  )
  const { from, target } = chooseTarget({ deployment, replicaSets: own }, name, to)
  const template = templateOf(target.replicaSet)
  await checkNeeds(client, template, query, target.number)
  const stored = await client.apply<Deployment>(resources.deployments, intentOf(deployment, template), {
    ...cut,
    fieldManager: managers.spec,
  })
  return { from: from.number, to: target.number, label: target.label, deployment: stored }
}

/** Pure. While a rollout goes on, the way back is to the one that serves. */
export function chooseTarget(
  look: Pick<ClusterObservation, 'deployment' | 'replicaSets'>,
  name: string,
  to: number | undefined,
): { readonly from: ClusterRevision; readonly target: ClusterRevision } {
  const revisions = listRevisions(look)
  const from = revisions.at(-1)
  if (from === undefined) throw refuse(`${name} has no revision yet`)
  const known = revisions.map(({ number, rejected }) => `${number}${rejected === null ? '' : ' (given up)'}`).join(', ')
  if (to !== undefined) {
    const target = revisions.find(({ number }) => number === to)
    if (target === undefined) throw refuse(`${name} has no revision ${to}`, `it keeps ${known}`)
    if (target === from) throw refuse(`${name} is at revision ${to} already`, `it keeps ${known}`)
    return { from, target }
  }
  const { stable, candidate } = findTurn(look)
  const earlier = revisions.filter((each) => each.number < from.number && each.rejected === null)
  const target = candidate !== null && stable?.rejected === null ? stable : earlier.at(-1)
  if (target === undefined)
    throw refuse(
      `${name} has no earlier revision that served`,
      revisions.length > 1 ? `it keeps ${known}; name one to go there all the same` : 'deploy a spec that works',
    )
  return { from, target }
}

function refuse(detail: string, hint?: string): TowlineError {
  return new TowlineError('TL_ROLLOUT_REFUSED', detail, hint === undefined ? {} : { hint })
}

/** When it was restarted last is another manager's word, and stays. */
function templateOf({ spec }: ReplicaSet): PodTemplateSpec {
  const { metadata = {}, ...template } = spec?.template ?? {}
  const { 'pod-template-hash': _, ...labels } = metadata.labels ?? {}
  const { [marks.restartedAt]: __, ...annotations } = metadata.annotations ?? {}
  return { ...template, metadata: { labels, annotations } }
}

/** Settings that pods of it are made with may have been taken away by hand. */
async function checkNeeds(
  client: KubeClient,
  { spec }: PodTemplateSpec,
  { namespace, name, signal }: ServicePlace,
  number: number,
): Promise<void> {
  const maps = (spec?.volumes ?? []).map(({ configMap }) => configMap?.name).filter((each) => each !== undefined)
  for (const map of maps) {
    const found = await client.get(resources.configMaps, map, {
      namespace,
      ...(signal === undefined ? {} : { signal }),
    })
    if (found === undefined)
      throw refuse(
        `revision ${number} of ${name} needs ConfigMap ${map}, which is gone`,
        'deploy the spec of that revision again: it makes it anew',
      )
  }
}

/** All that the live Deployment says, but for the number of replicas, with these pods. */
function intentOf({ metadata = {}, spec }: Deployment, template: PodTemplateSpec): Deployment {
  const { name, namespace, uid, labels = {}, annotations = {} } = metadata
  const { replicas: _, ...rest } = spec ?? ({} as NonNullable<Deployment['spec']>)
  const kept = Object.entries(annotations).filter(([key]) => !notOurs.test(key))
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      // With the uid, or a rollback of what was deleted meanwhile would make it anew.
      ...(uid === undefined ? {} : { uid }),
      labels,
      annotations: Object.fromEntries(kept),
    },
    spec: { ...rest, template },
  }
}
