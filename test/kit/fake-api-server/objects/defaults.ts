import { podDefaults, podSpecDefaults } from './pod-defaults.ts'
import { type JsonObject, isObject, objectAt } from './stored-object.ts'

/**
 * What the API server fills in. Only what Towline's own kinds need to behave: Deployment and ReplicaSet with their pod template, Pod, Service,
 * HorizontalPodAutoscaler, NetworkPolicy, EndpointSlice, Namespace, Secret. Not there: other volumes than ConfigMap, Secret and emptyDir,
 * load balancers and node ports, admission (service account tokens, priorities, tolerations of pods).
 */
export function fillDefaults(kind: string, object: JsonObject, allocateAddress: () => string): JsonObject {
  const spec = objectAt(object, 'spec')
  switch (kind) {
    case 'Deployment':
      return { ...object, spec: deploymentSpec(spec), status: object['status'] ?? {} }
    case 'ReplicaSet':
      return { ...object, spec: { replicas: 1, ...withTemplate(spec) }, status: object['status'] ?? { replicas: 0 } }
    case 'Pod':
      return {
        ...object,
        spec: podDefaults(spec),
        status: { phase: 'Pending', ...objectAt(object, 'status') },
      }
    case 'Service':
      return {
        ...object,
        spec: serviceSpec(spec, allocateAddress),
        status: object['status'] ?? { loadBalancer: {} },
      }
    case 'HorizontalPodAutoscaler':
      return {
        ...object,
        spec: autoscalerSpec(spec),
        status: object['status'] ?? { desiredReplicas: 0, currentMetrics: null },
      }
    case 'PodDisruptionBudget':
      return { ...object, status: object['status'] ?? noDisruptions }
    case 'NetworkPolicy':
      return { ...object, spec: policySpec(spec) }
    case 'EndpointSlice':
      return { ...object, ports: withProtocol(object['ports']) }
    case 'Namespace':
      return namespaceDefaults(object)
    case 'Secret':
      return secretDefaults(object)
    default:
      return object
  }
}

const noDisruptions = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }

function deploymentSpec(spec: JsonObject): JsonObject {
  const strategy = { type: 'RollingUpdate', ...objectAt(spec, 'strategy') } as JsonObject
  const rolling = { maxUnavailable: '25%', maxSurge: '25%', ...objectAt(strategy, 'rollingUpdate') }
  return {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...withTemplate(spec),
    strategy: strategy['type'] === 'RollingUpdate' ? { ...strategy, rollingUpdate: rolling } : strategy,
  }
}

function withTemplate(spec: JsonObject): JsonObject {
  const template = objectAt(spec, 'template')
  return { ...spec, template: { ...template, spec: podSpecDefaults(objectAt(template, 'spec')) } }
}

function serviceSpec(spec: JsonObject, allocateAddress: () => string): JsonObject {
  const { type = 'ClusterIP' } = spec
  const shared = { ...spec, type, sessionAffinity: spec['sessionAffinity'] ?? 'None', ports: servicePorts(spec) }
  if (type === 'ExternalName') return shared
  const clusterIP =
    typeof spec['clusterIP'] === 'string' && spec['clusterIP'] !== '' ? spec['clusterIP'] : allocateAddress()
  return {
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
    clusterIPs: [clusterIP],
    ...shared,
    clusterIP,
  }
}

function servicePorts(spec: JsonObject): unknown {
  const ports = withProtocol(spec['ports'])
  if (!Array.isArray(ports)) return ports
  return ports.map((port) => (isObject(port) ? { targetPort: port['port'], ...port } : port))
}

function withProtocol(ports: unknown): unknown {
  if (!Array.isArray(ports)) return ports
  return ports.map((port) => (isObject(port) ? { protocol: 'TCP', ...port } : port))
}

const scalingPeriodSeconds = 15

function autoscalerSpec(spec: JsonObject): JsonObject {
  const average = {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
  }
  const metrics = Array.isArray(spec['metrics']) && spec['metrics'].length > 0 ? spec['metrics'] : [average]
  const filled = { minReplicas: 1, ...spec, metrics }
  if (!isObject(spec['behavior'])) return filled
  const all = { type: 'Percent', value: 100, periodSeconds: scalingPeriodSeconds }
  const few = { type: 'Pods', value: 4, periodSeconds: scalingPeriodSeconds }
  return {
    ...filled,
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [few, all],
        ...objectAt(spec, 'behavior', 'scaleUp'),
      },
      scaleDown: { selectPolicy: 'Max', policies: [all], ...objectAt(spec, 'behavior', 'scaleDown') },
    },
  }
}

function policySpec(spec: JsonObject): JsonObject {
  const types = ['Ingress', ...(spec['egress'] === undefined ? [] : ['Egress'])]
  const fillRules = (rules: unknown): unknown =>
    Array.isArray(rules)
      ? rules.map((rule) =>
          isObject(rule) && rule['ports'] !== undefined ? { ...rule, ports: withProtocol(rule['ports']) } : rule,
        )
      : rules
  return { policyTypes: types, ...spec, ingress: fillRules(spec['ingress']), egress: fillRules(spec['egress']) }
}

function namespaceDefaults(object: JsonObject): JsonObject {
  const metadata = objectAt(object, 'metadata')
  const labels = { ...objectAt(metadata, 'labels'), 'kubernetes.io/metadata.name': metadata['name'] }
  return {
    ...object,
    metadata: { ...metadata, labels },
    spec: { finalizers: ['kubernetes'], ...objectAt(object, 'spec') },
    status: { phase: 'Active', ...objectAt(object, 'status') },
  }
}

function secretDefaults({ stringData, ...object }: JsonObject): JsonObject {
  const encoded = Object.entries(isObject(stringData) ? stringData : {}).map(
    ([name, text]) => [name, Buffer.from(String(text)).toString('base64')] as const,
  )
  const data = { ...objectAt(object, 'data'), ...Object.fromEntries(encoded) }
  return { type: 'Opaque', ...object, ...(Object.keys(data).length === 0 ? {} : { data }) }
}
