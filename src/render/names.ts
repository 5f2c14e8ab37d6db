import type { ClusterService } from '../spec/cluster-service.ts'

/** Labels and annotations of everything that is made of a service. */
export const keys = {
  service: 'towline.dev/service',
  /** Who takes requests; a canary will have another role. */
  role: 'towline.dev/role',
  revision: 'towline.dev/revision',
  modelDigest: 'towline.dev/model-digest',
  modelName: 'towline.dev/model-name',
  environment: 'towline.dev/environment',
  /** Of the form of what is rendered: a new form is a new revision, an upgrade of Towline alone is none. */
  renderer: 'towline.dev/renderer',
  /** The number of replicas of the spec that was applied last. */
  specReplicas: 'towline.dev/spec-replicas',
  /** `Auto`: how pods are replaced goes by the room there is, also where no spec is at hand. */
  surge: 'towline.dev/surge',
} as const

export const managedBy = { 'app.kubernetes.io/managed-by': 'towline' } as const

/** Never changes, because a Deployment's selector cannot. */
export function selectorOf({ service }: ClusterService): Record<string, string> {
  return { [keys.service]: service.name, [keys.role]: 'stable' }
}

/** Of every object; pods have fewer, so that a label of the document never replaces them. */
export function labelsOf({ service, labels }: ClusterService): Record<string, string> {
  return {
    ...labels,
    'app.kubernetes.io/name': service.name,
    ...managedBy,
    [keys.service]: service.name,
  }
}

export interface Naming {
  readonly namespace: string
  readonly revision: string
  readonly environment?: string | undefined
}

export function metadataOf(cluster: ClusterService, { namespace, environment }: Naming, name = cluster.service.name) {
  const annotations = {
    ...cluster.annotations,
    ...(environment === undefined ? {} : { [keys.environment]: environment }),
  }
  return {
    name,
    namespace,
    labels: labelsOf(cluster),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
}
