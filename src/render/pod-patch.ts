import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'

/** Lists of a pod that merge item by item, each with the field that tells its items apart. The others are replaced. */
const listKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
  imagePullSecrets: 'name',
  topologySpreadConstraints: 'topologyKey',
  hostAliases: 'ip',
}

type Fields = Readonly<Record<string, unknown>>

/**
 * `spec.pod.patch`: a strategic merge on the finished pod. `{spec: …}` and `{metadata: …}` are of the pod; what has neither is of
 * its spec. `null` deletes. Guarded fields have been refused when the spec was read.
 */
export function patchPod(template: PodTemplateSpec, patch: Fields): PodTemplateSpec {
  const whole = 'spec' in patch || 'metadata' in patch ? patch : { spec: patch }
  // A merge of maps keeps their shape; what does not fit a pod is refused by the API server, field by field.
  return merge(template as Fields, whole)
}

function merge(base: Fields, patch: Fields): Fields {
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(patch)) {
    const before = base[key]
    if (value === null) delete result[key]
    else if (Array.isArray(value) && listKeys[key] !== undefined && Array.isArray(before))
      result[key] = mergeList(before, value, listKeys[key])
    else result[key] = isMap(value) && isMap(before) ? merge(before, value) : value
  }
  return result
}

function mergeList(base: readonly unknown[], patch: readonly unknown[], key: string): unknown[] {
  const keyOf = (item: unknown): unknown => (isMap(item) ? item[key] : undefined)
  const kept = base.map((item) => {
    const change = patch.find((each) => keyOf(each) === keyOf(item))
    return isMap(change) && isMap(item) ? merge(item, change) : item
  })
  const added = patch.filter((item) => !base.some((each) => keyOf(each) === keyOf(item)))
  return [...kept, ...added]
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
