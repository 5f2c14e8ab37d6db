import { type JsonObject, isObject, objectAt } from './stored-object.ts'

const fileMode = 0o644

/** What the API server fills into the spec of a pod. */
export function podDefaults(spec: JsonObject): JsonObject {
  const filled = podSpecDefaults(spec)
  return {
    enableServiceLinks: true,
    ...filled,
    ...mapList(filled, 'containers', requestLimits),
    ...mapList(filled, 'initContainers', requestLimits),
  }
}

/** Whoever limits a resource and does not say what it requests, requests the limit. */
function requestLimits(container: JsonObject): JsonObject {
  const resources = objectAt(container, 'resources')
  const { limits } = resources
  if (!isObject(limits)) return container
  return { ...container, resources: { ...resources, requests: { ...limits, ...objectAt(resources, 'requests') } } }
}

/** What the API server fills into the spec of a pod, and into that of a template. */
export function podSpecDefaults(spec: JsonObject): JsonObject {
  const account = spec['serviceAccountName'] ?? spec['serviceAccount']
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    ...spec,
    // The old name of the field is kept beside the new one.
    ...(account === undefined ? {} : { serviceAccountName: account, serviceAccount: account }),
    ...mapList(spec, 'containers', containerDefaults),
    ...mapList(spec, 'initContainers', containerDefaults),
    ...mapList(spec, 'volumes', volumeDefaults),
  }
}

function mapList(from: JsonObject, field: string, fill: (item: JsonObject) => JsonObject): JsonObject {
  const list = from[field]
  return Array.isArray(list) ? { [field]: list.map((item: unknown) => (isObject(item) ? fill(item) : item)) } : {}
}

function containerDefaults(container: JsonObject): JsonObject {
  const { image } = container
  const isLatest =
    typeof image === 'string' && !image.includes('@') && /^[^:]*(\/[^:]*)?(:latest)?$/.test(withoutPort(image))
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...(image === undefined ? {} : { imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent' }),
    ...container,
    resources: objectAt(container, 'resources'),
    ...mapList(container, 'ports', (port) => ({ protocol: 'TCP', ...port })),
    ...mapList(container, 'env', envDefaults),
    ...Object.fromEntries(
      ['startupProbe', 'readinessProbe', 'livenessProbe']
        .filter((name) => isObject(container[name]))
        .map((name) => [name, probeDefaults(objectAt(container, name))]),
    ),
    ...(isObject(container['lifecycle']) ? { lifecycle: lifecycleDefaults(container['lifecycle']) } : {}),
  }
}

function withoutPort(image: string): string {
  return image.slice(image.lastIndexOf('/') + 1)
}

function envDefaults(variable: JsonObject): JsonObject {
  const fieldRef = objectAt(variable, 'valueFrom', 'fieldRef')
  if (fieldRef['fieldPath'] === undefined) return variable
  return { ...variable, valueFrom: { ...objectAt(variable, 'valueFrom'), fieldRef: { apiVersion: 'v1', ...fieldRef } } }
}

function probeDefaults(probe: JsonObject): JsonObject {
  const times = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
  return { ...times, ...withScheme(probe) }
}

function withScheme(handler: JsonObject): JsonObject {
  if (!isObject(handler['httpGet'])) return handler
  return { ...handler, httpGet: { path: '/', scheme: 'HTTP', ...handler['httpGet'] } }
}

function lifecycleDefaults(lifecycle: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(lifecycle).map(([name, handler]) => [name, isObject(handler) ? withScheme(handler) : handler]),
  )
}

function volumeDefaults(volume: JsonObject): JsonObject {
  const filled = ['configMap', 'secret', 'projected'].filter((name) => isObject(volume[name]))
  return {
    ...volume,
    ...Object.fromEntries(filled.map((name) => [name, { defaultMode: fileMode, ...objectAt(volume, name) }])),
  }
}
