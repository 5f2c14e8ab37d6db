import type { StructuralSchema } from './open-api.ts'

const text = (maxLength: number, description: string): StructuralSchema => ({ type: 'string', maxLength, description })
const count = (format: 'int32' | 'int64', description: string): StructuralSchema => ({
  type: 'integer',
  format,
  minimum: 0,
  description,
})

const condition: StructuralSchema = {
  type: 'object',
  required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
  properties: {
    type: { ...text(316, 'Ready, Reconciling or Stalled.'), minLength: 1 },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    observedGeneration: count('int64', 'Generation of the spec that this is said of.'),
    lastTransitionTime: { type: 'string', format: 'date-time', description: 'When `status` changed last.' },
    reason: { ...text(1024, 'One word for programs.'), pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' },
    message: text(32_768, 'A sentence for people.'),
  },
}

/** What is told about a service on a cluster; whoever runs it there writes it, nobody else. */
export const statusSchema: StructuralSchema = {
  type: 'object',
  description: 'As seen last.',
  properties: {
    observedGeneration: count('int64', 'Generation of the spec that was acted on last.'),
    revision: text(253, 'Revision that serves.'),
    replicas: count('int32', 'Pods of the revision that serves.'),
    selector: text(1024, 'Labels of these pods, for what scales them.'),
    conditions: {
      type: 'array',
      maxItems: 16,
      items: condition,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
  },
}
