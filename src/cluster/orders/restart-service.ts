import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { identityOf } from '../apply/identity.ts'
import { managers, marks } from '../concerns.ts'
import { applyIntent, isConflict, maxTries } from './deployment-intent.ts'
import { type ServicePlace, findDeployment } from './find-service.ts'
import { makeWay } from './make-way.ts'
import { templateOf } from './rollback-target.ts'

/**
 * Replaces every pod by one of the same kind, in the manner for which there is room. By a manager of its own: a later deploy neither
 * takes the mark away, which would restart all of them once more, nor sets it. TL_ROLLOUT_REFUSED while it is paused.
 */
export async function restartService(
  client: KubeClient,
  { clock, ...place }: ServicePlace & { readonly clock: Clock },
): Promise<Deployment> {
  const { name, signal } = place
  for (let tries = 1; ; tries++) {
    const deployment = await findDeployment(client, place)
    if (deployment.spec?.paused === true)
      throw new TowlineError('TL_ROLLOUT_REFUSED', `${name} is paused, and pods are not replaced meanwhile`, {
        hint: 'deploy its spec with `paused: false` first',
      })
    const { template } = deployment.spec ?? {}
    try {
      const prepared = await makeWay(client, deployment, { template, signal })
      if (prepared !== deployment) await applyIntent(client, prepared, templateOf(template), signal)
      return await markRestart(client, deployment, new Date(clock.nowMs()).toISOString(), signal)
    } catch (error) {
      if (!isConflict(error) || tries === maxTries) throw error
    }
  }
}

/** When its pods were restarted last; undefined: never. Another mark than before replaces them. */
export async function markRestart(
  client: KubeClient,
  deployment: Deployment,
  restartedAt: string | undefined,
  signal?: AbortSignal,
): Promise<Deployment> {
  const annotations = restartedAt === undefined ? {} : { [marks.restartedAt]: restartedAt }
  return await client.apply<Deployment>(
    resources.deployments,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: identityOf(deployment),
      spec: { template: { metadata: { annotations } } },
    } as KubeObject,
    { fieldManager: managers.restart, ...(signal === undefined ? {} : { signal }) },
  )
}
