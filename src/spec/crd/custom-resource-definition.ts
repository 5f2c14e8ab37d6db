import { renderModelServiceSchema } from '../json-schema.ts'
import type { Rule } from './rule.ts'
import { envRules } from './rules/env-rules.ts'
import { gpuRules } from './rules/gpu-rules.ts'
import { modelRules } from './rules/model-rules.ts'
import { podRules } from './rules/pod-rules.ts'
import { quantityRules } from './rules/quantity-rules.ts'
import { rolloutRules } from './rules/rollout-rules.ts'
import { scalingRules } from './rules/scaling-rules.ts'
import { servingRules } from './rules/serving-rules.ts'
import { targetRules } from './rules/target-rules.ts'
import { placeRules } from './rule-places.ts'
import { statusSchema } from './status-schema.ts'
import type { StructuralSchema } from './open-api.ts'
import { type JsonSchema, writeStructural } from './structural-schema.ts'

export const allRules: readonly Rule[] = [
  ...modelRules,
  ...servingRules,
  ...gpuRules,
  ...quantityRules,
  ...envRules,
  ...scalingRules,
  ...rolloutRules,
  ...podRules,
  ...targetRules,
]

const group = 'towline.dev'
const plural = 'modelservices'

/**
 * The custom resource `ModelService`, made of the one schema of the spec: what a cluster stores, a sealed document. It refuses
 * what `towline deploy` refuses. There is no default in it: a later apply would write it over what somebody scaled.
 */
export async function renderCustomResourceDefinition(): Promise<object> {
  const { properties: { metadata, spec } = {} } = (await renderModelServiceSchema()) as JsonSchema
  const name = metadata?.properties?.['name']
  if (name === undefined || spec === undefined) throw new Error('the schema of a service has neither a name nor a spec')
  const schema: StructuralSchema = {
    type: 'object',
    description: 'One model served as one service.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: writeStructural(name, 'metadata.name') } },
      spec: writeStructural(spec, 'spec'),
      status: statusSchema,
    },
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: 'ModelService',
        listKind: 'ModelServiceList',
        plural,
        singular: 'modelservice',
        shortNames: ['ms'],
        categories: ['all', 'towline'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: placeRules(schema, allRules) },
        },
      ],
    },
  }
}

const columns = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Replicas', type: 'integer', jsonPath: '.status.replicas' },
  { name: 'Revision', type: 'string', jsonPath: '.status.revision' },
  { name: 'Image', type: 'string', jsonPath: '.spec.image', priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
]
