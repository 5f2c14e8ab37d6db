import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { Service } from 'kubernetes-types/core/v1.js'
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import { canonicalJson } from '../../base/canonical.ts'
import type { Placement } from '../../decide/placement/placement.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { keys } from '../../render/names.ts'
import type { RenderedService } from '../../render/rendered-service.ts'
import type { ClusterService } from '../../spec/cluster-service.ts'
import { type ReplicasDecision, decideReplicas } from '../apply/decide-replicas.ts'
import { listRevisions } from '../revisions.ts'
import { readSpecReplicas, withoutCount } from '../apply/set-replicas.ts'
import { findStale } from '../apply/stale-objects.ts'
import { listMissingKinds, listWarnings, readClusterFacts } from './cluster-limits.ts'
import type { DeployPlan, Refusal } from './deploy-plan.ts'
import { findPlaces } from './find-places.ts'
import { listForeignParts } from './foreign-parts.ts'
import { refuseBlindness, refuseImpossible, refuseNamespace, refuseRemovals, uniqueByDetail } from './refusals.ts'
import { changesOfPods, describePods } from './pod-change.ts'
import { type Rehearsal, type RehearsalPlace, bindToLive, describeChange, isWrite, rehearseApply } from './rehearsal.ts'
import { chooseManner, letGo, withManner } from './strategy.ts'

export interface DeployTarget {
  readonly client: KubeClient
  readonly service: ClusterService
  readonly rendered: RenderedService
  readonly signal?: AbortSignal
  /** Takes over objects that Towline did not make. Default: false. */
  readonly adopt?: boolean
  /** Somebody adds nodes for pods that wait. Default: false. */
  readonly expectNodes?: boolean
  /** Somebody looks until the new pods are ready, and has to see them. Default: true. */
  readonly wait?: boolean
}

/** A plan, with what carries it out. */
export interface PreparedDeploy {
  readonly plan: DeployPlan
  /** In order; what would change nothing is left out. */
  readonly writes: readonly KubeObject[]
  readonly removals: readonly KubeObject[]
  readonly replicas: ReplicasDecision
  /** Of the service, as they are. */
  readonly replicaSets: readonly ReplicaSet[]
  /** As it is; absent: there is none. */
  readonly live?: Deployment
}

/**
 * Looks at the cluster and has it go through every write without storing one. What stands against it is gathered in `plan.refusals`;
 * only what keeps from looking is thrown: TL_CLUSTER_UNREACHABLE, TL_CLUSTER_UNAUTHORIZED, TL_CLUSTER_FAILED, and
 * TL_CLUSTER_FORBIDDEN where the Deployment may not be seen.
 */
export async function prepareDeploy(target: DeployTarget): Promise<PreparedDeploy> {
  const { client, service, rendered, signal, adopt = false, expectNodes = false, wait = true } = target
  const { name, namespace } = rendered
  const place = { namespace, ...(signal === undefined ? {} : { signal }) }
  const [facts, live, missing, blindness, mayMark] = await Promise.all([
    readClusterFacts(client),
    client.get<Deployment>(resources.deployments, name, place),
    refuseNamespace(client, place),
    wait ? refuseBlindness(client, place) : [],
    client.may('patch', resources.replicaSets, place),
  ])
  const objects = rendered.objects.filter(({ kind }) => kind !== 'HTTPRoute' || facts.hasGateways)
  const refusals: Refusal[] = [...listMissingKinds(rendered.objects, facts), ...missing, ...blindness]
  const replicas = decideReplicas({
    ...(live === undefined
      ? {}
      : { live: { replicas: live.spec?.replicas ?? 1, specReplicas: readSpecReplicas(live) ?? undefined } }),
    wanted: rendered.replicas,
    minReplicas: leastOf(objects),
  })

  const rehearsed =
    missing.length > 0 ? [] : await rehearseAll(target, objects, live, { ...place, service: name, adopt })
  const first = rehearsed.find(isOfDeployment)
  const isReplaced = first !== undefined && changesOfPods(describeChange(first).fields).length > 0
  const isMore = replicas.replicas > (first?.live === undefined ? 0 : (live?.spec?.replicas ?? 1))
  const pod = first?.kind === 'Taken' ? (first.planned as Deployment).spec?.template.spec : undefined
  const placement =
    pod !== undefined && (isReplaced || isMore)
      ? await findPlaces(client, {
          pod,
          own: { namespace, service: name, revision: rendered.revision },
          replicas: replicas.replicas,
          surge: service.service.rollout.surge,
          autoscalerAllowed: expectNodes,
          signal,
        })
      : undefined
  if (placement?.kind === 'Impossible') refusals.push(refuseImpossible(placement))
  const manner = chooseManner(service.service.rollout.surge, { isReplaced, placement: placement?.kind })
  const final = await Promise.all(
    rehearsed.map(async (each) =>
      isOfDeployment(each) && isReplaced && manner !== undefined
        ? await rehearseApply(client, withManner(each.intent, manner, live), { ...place, service: name, adopt })
        : each,
    ),
  )
  refusals.push(...final.flatMap((each) => (each.kind === 'Refused' ? [each.refusal] : [])))

  const { stale, unseen, replicaSets } = await findStale(client, rendered.objects, { ...place, name })
  refusals.push(...(await refuseRemovals(client, stale, place)))
  const changed = final.find(isOfDeployment)
  return {
    plan: {
      context: client.context,
      namespace,
      name,
      revision: { from: live?.spec?.template.metadata?.labels?.[keys.revision] ?? null, to: rendered.revision },
      objects: [
        ...final.map(describeChange),
        ...stale.map((object) => ({
          kind: object.kind ?? '',
          name: object.metadata?.name ?? '',
          action: 'Removed' as const,
          fields: [],
        })),
      ],
      replicas: {
        from: live?.spec?.replicas ?? null,
        to: replicas.replicas,
        by: replicas.replicas === live?.spec?.replicas ? 'Kept' : 'Spec',
      },
      pods:
        changed?.kind === 'Taken'
          ? describePods({ live, planned: changed.planned as Deployment, fields: describeChange(changed).fields })
          : null,
      placement: placement === undefined ? null : tellPlacement(placement),
      warnings: [
        ...listWarnings(objects, facts),
        ...warnOfGivenUp(replicaSets, rendered.revision),
        ...final.flatMap(warnOfChange),
        ...(mayMark ? [] : [`you may not patch replicasets here: a revision that fails cannot be marked as given up`]),
        ...(unseen.length === 0
          ? []
          : [`you may not list ${unseen.join(', ')} here: what earlier specs left of them stays`]),
      ],
      refusals: uniqueByDetail(refusals),
    },
    writes: final.filter(isWrite).map(bindToLive),
    removals: stale,
    replicas,
    replicaSets,
    ...(live === undefined ? {} : { live }),
  }
}

/** With the strategy as it is, where it goes by the room: whether pods are replaced at all is known afterwards. */
async function rehearseAll(
  { client, service }: DeployTarget,
  objects: readonly KubeObject[],
  live: Deployment | undefined,
  place: RehearsalPlace,
): Promise<readonly Rehearsal[]> {
  const manner = service.service.rollout.surge === 'Auto' ? 'AsBefore' : undefined
  return await Promise.all(
    objects.map(
      async (object) => await rehearseApply(client, withManner(letGo(withoutCount(object), live), manner, live), place),
    ),
  )
}

function isOfDeployment({ intent }: Rehearsal): boolean {
  return intent.kind === 'Deployment'
}

function leastOf(objects: readonly KubeObject[]): number {
  const autoscaler = objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler') as
    | HorizontalPodAutoscaler
    | undefined
  return autoscaler?.spec?.minReplicas ?? 1
}

function tellPlacement({ kind, reason, advice, room, quota, notes }: Placement): NonNullable<DeployPlan['placement']> {
  return {
    kind,
    reason,
    ...(advice === undefined ? {} : { advice }),
    room,
    ...(quota === undefined ? {} : { quota }),
    notes,
  }
}

/** What a person would not see in the fields. */
function warnOfChange({ kind, live, ...rest }: Rehearsal): readonly string[] {
  if (kind === 'Refused' || live === undefined) return []
  const { planned } = rest as { planned: KubeObject }
  if (planned.kind === 'Service' && canonicalJson(selectorOf(live)) !== canonicalJson(selectorOf(planned)))
    return [
      `Service ${planned.metadata?.name} sends to other pods from the first write on: requests fail until the new ones are ready`,
    ]
  const parts = planned.kind === 'Deployment' ? listForeignParts(planned) : []
  return parts.length === 0
    ? []
    : [`pods keep what somebody else added to the Deployment: ${parts.join(', ')}; take it out with \`kubectl edit\``]
}

function selectorOf(service: KubeObject): unknown {
  return (service as Service).spec?.selector ?? {}
}

/** A person who asks may know better, so it is tried again. */
function warnOfGivenUp(replicaSets: readonly ReplicaSet[], label: string): readonly string[] {
  const given = listRevisions({ replicaSets }).findLast((each) => each.label === label && each.rejected !== null)
  return given === undefined
    ? []
    : [`revision ${label} was given up before, and nothing in it has changed: ${given.rejected}`]
}
