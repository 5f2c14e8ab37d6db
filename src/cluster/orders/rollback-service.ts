import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { serviceLabel } from '../apply/ownership.ts'
import { marks } from '../concerns.ts'
import { applyIntent, isConflict, maxTries } from './deployment-intent.ts'
import { type ServicePlace, findDeployment } from './find-service.ts'
import { makeWay } from './make-way.ts'
import { checkNeeds } from './pod-needs.ts'
import { markRestart } from './restart-service.ts'
import { byHand, writeVerdict } from './verdict.ts'
import { type RollbackLook, type RollbackWish, chooseTarget, isSameSpec, templateOf } from './rollback-target.ts'

export interface Rollback {
  readonly from: number
  /** It gets a new number as it comes back. */
  readonly to: number
  /** Label `towline.dev/revision`, to wait for. */
  readonly label: string
  /** Why nothing was written: it is so, or about to be. Null: it was. */
  readonly nothing: string | null
  /** As it is stored now. */
  readonly deployment: Deployment
  /** Why the revision that was left could not be marked: a later rollback may go back to it. */
  readonly unmarked?: string
}

/**
 * Brings the pods of an earlier revision back, as the spec's own manager: a later deploy then owns all of it, and takes away again
 * what its spec does not say. The number of replicas stays. TL_ROLLOUT_REFUSED: there is nothing to go back to, or it is paused;
 * TL_CLUSTER_CONFLICT: somebody else changed it meanwhile, and what would be left or come back is not what was asked about.
 */
export async function rollbackService(client: KubeClient, query: ServicePlace & RollbackWish): Promise<Rollback> {
  const { namespace, name, signal } = query
  const cut = signal === undefined ? {} : { signal }
  let asked: string | undefined
  for (let tries = 1; ; tries++) {
    const look = await lookAt(client, query)
    const { deployment } = look
    const { from, left, isGoingOn, target, nothing } = chooseTarget(look, query)
    const { number: to, label, replicaSet } = target
    if (nothing !== null) return { from, to, label, nothing, deployment }
    asked ??= `${from} ${replicaSet.metadata?.uid}`
    if (asked !== `${from} ${replicaSet.metadata?.uid}`) throw explainChanged(name)
    const { template } = replicaSet.spec ?? {}
    await checkNeeds(client, template?.spec, { namespace, ...cut, subject: `revision ${to} of ${name}` })
    const writing = isSameSpec(target, deployment)
      ? // Only a restart lies in between, and that is not the spec's to say.
        markRestart(client, deployment, template?.metadata?.annotations?.[marks.restartedAt], signal)
      : applyIntent(
          client,
          await makeWay(client, deployment, { revision: label, template, signal }),
          templateOf(template),
          signal,
        )
    const stored = await writing.catch((error: unknown) => {
      if (isConflict(error) && tries < maxTries) return undefined
      throw error
    })
    if (stored === undefined) continue
    // What is tried again has not been given up yet.
    await writeVerdict(client, replicaSet, null, signal)
    // Whoever asks again, and a later rollback, have to know that it is not to be gone back to.
    const unmarked =
      left === null || left.rejected !== null
        ? undefined
        : await writeVerdict(client, left.replicaSet, isGoingOn ? byHand.takenBack : byHand.rolledBack, signal)
    return { from, to, label, nothing, deployment: stored, ...(unmarked === undefined ? {} : { unmarked }) }
  }
}

async function lookAt(client: KubeClient, place: ServicePlace): Promise<RollbackLook> {
  const { namespace, name, signal } = place
  const deployment = await findDeployment(client, place)
  const { items } = await client.list<ReplicaSet>(resources.replicaSets, {
    namespace,
    labelSelector: `${serviceLabel}=${name}`,
    ...(signal === undefined ? {} : { signal }),
  })
  const isOwn = ({ metadata }: ReplicaSet): boolean =>
    metadata?.ownerReferences?.some(({ uid }) => uid === deployment.metadata?.uid) === true
  return { deployment, replicaSets: items.filter(isOwn) }
}

function explainChanged(name: string): TowlineError {
  return new TowlineError('TL_CLUSTER_CONFLICT', `${name} was changed while it was rolled back`, {
    hint: `nothing was written; \`towline status ${name}\` shows what goes on now`,
  })
}
