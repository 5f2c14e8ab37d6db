import type { Resource } from './object.ts'

const namespaced = (group: string, version: string, kind: string, plural: string): Resource => ({
  group,
  version,
  kind,
  plural,
  namespaced: true,
})

/** The kinds that Towline reads or writes, and Secrets, which only its tests do. */
export const resources = {
  namespaces: { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
  nodes: { group: '', version: 'v1', kind: 'Node', plural: 'nodes', namespaced: false },
  pods: namespaced('', 'v1', 'Pod', 'pods'),
  services: namespaced('', 'v1', 'Service', 'services'),
  configMaps: namespaced('', 'v1', 'ConfigMap', 'configmaps'),
  secrets: namespaced('', 'v1', 'Secret', 'secrets'),
  serviceAccounts: namespaced('', 'v1', 'ServiceAccount', 'serviceaccounts'),
  resourceQuotas: namespaced('', 'v1', 'ResourceQuota', 'resourcequotas'),
  events: namespaced('events.k8s.io', 'v1', 'Event', 'events'),
  deployments: namespaced('apps', 'v1', 'Deployment', 'deployments'),
  replicaSets: namespaced('apps', 'v1', 'ReplicaSet', 'replicasets'),
  horizontalPodAutoscalers: namespaced('autoscaling', 'v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  podDisruptionBudgets: namespaced('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  networkPolicies: namespaced('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies'),
  endpointSlices: namespaced('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices'),
  httpRoutes: namespaced('gateway.networking.k8s.io', 'v1', 'HTTPRoute', 'httproutes'),
  modelServices: namespaced('towline.dev', 'v1alpha1', 'ModelService', 'modelservices'),
  podMetrics: namespaced('metrics.k8s.io', 'v1beta1', 'PodMetrics', 'pods'),
} as const satisfies Record<string, Resource>
