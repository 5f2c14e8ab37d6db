import type { z } from 'zod'
import { mergedLists, setLists } from './source/list-keys.ts'

/** The file form of a `ModelService` as JSON Schema 2020-12, for editors and other programs. */
export async function renderModelServiceSchema(): Promise<object> {
  const { modelServiceSchema } = await import('./schema/model-service.ts')
  return renderSchema(modelServiceSchema, 'ModelService')
}

export async function renderModelCardSchema(): Promise<object> {
  const { modelCardSchema } = await import('./schema/model-card.ts')
  return renderSchema(modelCardSchema, 'ModelCard')
}

export async function renderTestPlanSchema(): Promise<object> {
  const { testPlanSchema } = await import('./schema/test-plan.ts')
  return renderSchema(testPlanSchema, 'ModelTest')
}

async function renderSchema(schema: z.ZodType, title: string): Promise<object> {
  const { toJSONSchema } = await import('zod')
  return { title, ...toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' }) }
}

interface OpenApiNode {
  readonly type: string
  properties?: Record<string, OpenApiNode>
  items?: OpenApiNode
  'x-kubernetes-patch-strategy'?: string
  'x-kubernetes-patch-merge-key'?: string
}

/** What Kustomize must know to merge overlays as `source/overlay.ts` does: the lists that have a key, and the sets. */
export function renderKustomizeOpenApi(): object {
  const root: OpenApiNode = { type: 'object' }
  for (const [path, key] of Object.entries(mergedLists)) {
    const list = nodeAt(root, path)
    list.items = { type: 'object', properties: { [key]: { type: 'string' } } }
    list['x-kubernetes-patch-strategy'] = 'merge'
    list['x-kubernetes-patch-merge-key'] = key
  }
  for (const path of setLists) {
    const list = nodeAt(root, path)
    list.items = { type: 'string' }
    list['x-kubernetes-patch-strategy'] = 'merge'
  }
  const definition = {
    ...root,
    'x-kubernetes-group-version-kind': [{ group: 'towline.dev', kind: 'ModelService', version: 'v1alpha1' }],
  }
  return { definitions: { 'dev.towline.v1alpha1.ModelService': definition } }
}

/** The list at `spec.a.b`, with the maps above it made on the way. */
function nodeAt(root: OpenApiNode, path: string): OpenApiNode {
  const steps = path.split('.')
  return steps.reduce((node, step, index) => {
    node.properties ??= {}
    return (node.properties[step] ??= { type: index === steps.length - 1 ? 'array' : 'object' })
  }, root)
}
