import type { Resource } from '../../../../src/kube/object.ts'
import { resources } from '../../../../src/kube/resources.ts'
import { type Schema, createBuiltInSchema, createCustomSchema } from '../ownership/schema.ts'

/** One kind as this server serves it. */
export interface Kind extends Resource {
  readonly listKind: string
  /** `v1`, `apps/v1` */
  readonly apiVersion: string
  /** Items of its lists name no kind, an object sent may leave it out, and an update needs no resourceVersion. */
  readonly isBuiltIn: boolean
  readonly hasStatus: boolean
  readonly hasScale: boolean
  /** What a change of raises `metadata.generation`. */
  readonly generation: 'None' | 'Spec' | 'SpecAndAnnotations' | 'All'
  /** Besides metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[]
  readonly schema: Schema
  /** The version of the store when it was first served: no watch begins earlier. */
  readonly since: number
}

export const crdResource: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

const event = ['regarding.kind', 'regarding.name', 'regarding.namespace', 'regarding.uid', 'reason', 'type']
const pod = ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase']

type BuiltIn = Partial<Pick<Kind, 'hasStatus' | 'hasScale' | 'generation' | 'selectableFields'>>

/** What sets built-in kinds apart; as Kubernetes 1.35 has them. */
const builtIns: Readonly<Record<string, BuiltIn>> = {
  Namespace: { hasStatus: true, selectableFields: ['status.phase'] },
  Node: { hasStatus: true, selectableFields: ['spec.unschedulable'] },
  Pod: { hasStatus: true, generation: 'Spec', selectableFields: pod },
  Service: { hasStatus: true, selectableFields: ['spec.clusterIP', 'spec.type'] },
  ConfigMap: {},
  Secret: { selectableFields: ['type'] },
  ServiceAccount: {},
  ResourceQuota: { hasStatus: true },
  LimitRange: {},
  Event: { selectableFields: event },
  Deployment: { hasStatus: true, hasScale: true, generation: 'SpecAndAnnotations' },
  ReplicaSet: { hasStatus: true, hasScale: true, generation: 'Spec', selectableFields: ['status.replicas'] },
  HorizontalPodAutoscaler: { hasStatus: true },
  PodDisruptionBudget: { hasStatus: true, generation: 'Spec' },
  NetworkPolicy: { generation: 'Spec' },
  EndpointSlice: { generation: 'All' },
  CustomResourceDefinition: { hasStatus: true, generation: 'Spec' },
}

/** Kinds that come with a CustomResourceDefinition or another server: served when a test asks. */
const extra: readonly Resource[] = [resources.httpRoutes, resources.modelServices, resources.podMetrics]

export const standardResources: readonly Resource[] = [
  ...Object.values(resources).filter((resource) => !extra.includes(resource)),
  crdResource,
]

interface CustomKind {
  readonly since?: number
  readonly openApi?: unknown
  readonly hasStatus?: boolean
}

/** A kind by its resource; `openApi` is the schema of its CustomResourceDefinition. */
export function createKind(resource: Resource, { since = 0, openApi, hasStatus = true }: CustomKind = {}): Kind {
  const { group, version, kind } = resource
  const more = builtIns[kind]
  const shared = {
    ...resource,
    listKind: `${kind}List`,
    apiVersion: group === '' ? version : `${group}/${version}`,
    since,
  }
  if (more !== undefined && standardResources.some((one) => isSameResource(one, resource))) {
    return {
      ...shared,
      isBuiltIn: true,
      hasStatus: more.hasStatus ?? false,
      hasScale: more.hasScale ?? false,
      generation: more.generation ?? 'None',
      selectableFields: more.selectableFields ?? [],
      schema: createBuiltInSchema(kind),
    }
  }
  return {
    ...shared,
    isBuiltIn: false,
    hasStatus,
    hasScale: false,
    generation: 'All',
    selectableFields: [],
    schema: createCustomSchema(openApi),
  }
}

export function isSameResource(a: Resource, b: Resource): boolean {
  return a.group === b.group && a.version === b.version && a.plural === b.plural
}
