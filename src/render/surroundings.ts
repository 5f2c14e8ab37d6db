import type { HorizontalPodAutoscaler, MetricSpec } from 'kubernetes-types/autoscaling/v2.js'
import type { Service, ServiceAccount } from 'kubernetes-types/core/v1.js'
import type { NetworkPolicy, NetworkPolicyPeer } from 'kubernetes-types/networking/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import { imagePorts } from '../image/plan/build-plan.ts'
import type { KubeObject } from '../kube/object.ts'
import type { ScalingRules } from '../spec/service.ts'
import type { ClusterService } from '../spec/cluster-service.ts'
import { hasHonouredTarget } from './deployment.ts'
import { type Naming, metadataOf, selectorOf } from './names.ts'

/** None where the spec names an account of its own. */
export function renderAccount(cluster: ClusterService, naming: Naming): ServiceAccount[] {
  if (cluster.pod.serviceAccountName !== undefined) return []
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: metadataOf(cluster, naming),
      automountServiceAccountToken: false,
    },
  ]
}

export function renderService(cluster: ClusterService, naming: Naming): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(cluster, naming),
    spec: {
      type: 'ClusterIP',
      selector: selectorOf(cluster),
      ports: [
        { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' },
        { name: 'metrics', port: imagePorts.metrics, targetPort: 'metrics', protocol: 'TCP', appProtocol: 'http' },
      ],
    },
  }
}

/** So that a node that is emptied takes one pod after the other. One pod alone could never leave, and gets none. */
export function renderBudget(cluster: ClusterService, naming: Naming): PodDisruptionBudget[] {
  const { service } = cluster
  if ((service.autoscaling?.minReplicas ?? service.replicas) < 2) return []
  return [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadataOf(cluster, naming),
      spec: {
        maxUnavailable: 1,
        selector: { matchLabels: selectorOf(cluster) },
        // A pod that serves nobody protects nothing.
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      },
    },
  ]
}

/**
 * In: requests from where the spec says, metrics from everywhere inside. Out: nothing, the server asks nobody; an empty list of
 * rules would say the same, but is not stored, and each apply would write the object again.
 */
export function renderNetworkPolicy(cluster: ClusterService, naming: Naming): NetworkPolicy {
  const { allowFrom = [], gateway } = cluster.expose ?? {}
  const inside: NetworkPolicyPeer = { namespaceSelector: {} }
  const gateways: NetworkPolicyPeer[] =
    gateway === undefined
      ? []
      : [
          {
            namespaceSelector: {
              matchLabels: { 'kubernetes.io/metadata.name': gateway.namespace ?? naming.namespace },
            },
          },
        ]
  // Kubernetes' own words, as written.
  const callers = allowFrom.length === 0 ? [inside] : [...(allowFrom as readonly NetworkPolicyPeer[]), ...gateways]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(cluster, naming),
    spec: {
      podSelector: { matchLabels: selectorOf(cluster) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { from: callers, ports: [{ port: 'http', protocol: 'TCP' }] },
        { from: [inside], ports: [{ port: 'metrics', protocol: 'TCP' }] },
      ],
    },
  }
}

/** None where nothing is left that a plain autoscaler can honour. */
export function renderAutoscaler(cluster: ClusterService, naming: Naming): HorizontalPodAutoscaler[] {
  const { autoscaling, name } = cluster.service
  if (autoscaling === undefined || !hasHonouredTarget(autoscaling)) return []
  const { targets, minReplicas, maxReplicas, behavior } = autoscaling
  const metric = (resource: string, percent: number | undefined): MetricSpec[] =>
    percent === undefined
      ? []
      : [
          {
            type: 'Resource',
            resource: { name: resource, target: { type: 'Utilization', averageUtilization: percent } },
          },
        ]
  return [
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: metadataOf(cluster, naming),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        minReplicas: Math.max(1, minReplicas),
        maxReplicas,
        metrics: [...metric('cpu', targets.cpuPercent), ...metric('memory', targets.memoryPercent)],
        ...(behavior === undefined
          ? {}
          : {
              behavior: {
                ...(behavior.scaleUp === undefined ? {} : { scaleUp: renderRules(behavior.scaleUp) }),
                ...(behavior.scaleDown === undefined ? {} : { scaleDown: renderRules(behavior.scaleDown) }),
              },
            }),
      },
    },
  ]
}

/** `tolerance` is a quantity there. */
function renderRules({ policies, tolerance, ...rules }: Partial<ScalingRules>) {
  return {
    ...rules,
    ...(policies === undefined ? {} : { policies: policies.map((policy) => ({ ...policy })) }),
    ...(tolerance === undefined ? {} : { tolerance: `${Math.round(tolerance * 1000)}m` }),
  }
}

/** Gateway API: the gateway is somebody else's, the route to the service ours. */
export function renderRoute(cluster: ClusterService, naming: Naming): KubeObject[] {
  const { gateway, hostnames = [] } = cluster.expose ?? {}
  if (gateway === undefined) return []
  return [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: metadataOf(cluster, naming),
      spec: {
        parentRefs: [gateway],
        ...(hostnames.length === 0 ? {} : { hostnames: [...hostnames] }),
        rules: [{ backendRefs: [{ name: cluster.service.name, port: 80 }] }],
      },
    } as KubeObject,
  ]
}
