import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { identityOf } from '../apply/identity.ts'
import { withoutCount } from '../apply/set-replicas.ts'
import { managers } from '../concerns.ts'

/** Controllers write the status of a Deployment, and every write is a new version of it. */
export const maxTries = 8

/** What a person wrote or a spec said; the rest of the annotations are controllers' own notes. */
const notOurs = /^(deployment\.kubernetes\.io\/|kubectl\.kubernetes\.io\/last-applied-configuration$)/

/** Somebody wrote it since it was read. */
export function isConflict(error: unknown): boolean {
  return error instanceof TowlineError && error.code === 'TL_CLUSTER_CONFLICT'
}

/** As the spec's own manager: a later deploy then owns all of it. TL_CLUSTER_CONFLICT: it is not any more as it was read. */
export async function applyIntent(
  client: KubeClient,
  deployment: Deployment,
  template: PodTemplateSpec,
  signal?: AbortSignal,
): Promise<Deployment> {
  return await client.apply<Deployment>(resources.deployments, intentOf(deployment, template), {
    fieldManager: managers.spec,
    ...(signal === undefined ? {} : { signal }),
  })
}

/** All that the live Deployment says, but for the number of replicas, with these pods. */
function intentOf(deployment: Deployment, template: PodTemplateSpec): KubeObject {
  const { metadata: { resourceVersion, labels = {}, annotations = {} } = {}, spec } = deployment
  const kept = Object.entries(annotations).filter(([key]) => !notOurs.test(key))
  return withoutCount({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...identityOf(deployment),
      // Or what somebody deployed since it was read would be taken back.
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      labels,
      annotations: Object.fromEntries(kept),
    },
    spec: { ...spec, template },
  } as KubeObject)
}
