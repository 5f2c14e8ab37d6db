import { guardedFields } from '../rules/pod-rules.ts'
import type { StructuralSchema } from './open-api.ts'

// Bounds of what rules go through: the API server asks for them.
const mostContainers = 16
const mostVolumes = 64
const mostLabels = 128

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const
const text = (maxLength: number): StructuralSchema => ({ type: 'string', maxLength })
const list = (maxItems: number, items: StructuralSchema): StructuralSchema => ({
  type: 'array',
  maxItems,
  items,
  'x-kubernetes-list-type': 'atomic',
})

const types: Readonly<Record<string, StructuralSchema>> = {
  image: text(1024),
  ports: list(mostVolumes, open),
  terminationGracePeriodSeconds: { type: 'integer' },
}
const guarded = Object.fromEntries(guardedFields.map((field) => [field, types[field] ?? open]))

const container: StructuralSchema = {
  ...open,
  properties: {
    ...guarded,
    name: text(253),
    volumeMounts: list(mostVolumes, { ...open, properties: { name: text(253), mountPath: text(1024) } }),
  },
}

/** Lists of containers that a template of pods has. */
export const containerLists = ['containers', 'initContainers'] as const

const podFields: Readonly<Record<string, StructuralSchema>> = {
  ...guarded,
  ...Object.fromEntries(containerLists.map((name) => [name, list(mostContainers, container)])),
  volumes: list(mostVolumes, { ...open, properties: { name: text(253) } }),
}

// A null takes a label away.
const names: StructuralSchema = {
  type: 'object',
  maxProperties: mostLabels,
  additionalProperties: { type: 'string', nullable: true },
}

/**
 * What rules see of a patch: a rule sees no field that a schema does not name. A patch is either of the pod's fields or of the
 * whole pod, with `spec` and `metadata`.
 */
export const patchSchema: StructuralSchema = {
  ...open,
  properties: {
    ...podFields,
    metadata: { ...open, properties: { labels: names, annotations: names } },
    spec: { ...open, properties: podFields },
  },
}
