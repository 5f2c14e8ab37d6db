import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { renderModelServiceSchema } from '../json-schema.ts'
import { allRules, renderCustomResourceDefinition } from './custom-resource-definition.ts'
import type { StructuralSchema } from './open-api.ts'
import type { JsonSchema } from './structural-schema.ts'

interface Definition {
  readonly spec: {
    readonly versions: readonly [
      {
        readonly schema: { readonly openAPIV3Schema: StructuralSchema }
        readonly subresources: { readonly scale: Readonly<Record<string, string>> }
        readonly additionalPrinterColumns: readonly { readonly jsonPath: string }[]
      },
    ]
  }
}

interface Part {
  readonly path: string
  readonly part: StructuralSchema
}

describe('the custom resource of a service', () => {
  let definition: Definition
  let parts: readonly Part[]

  before(async () => {
    // Written and read: what a cluster gets is text.
    definition = JSON.parse(JSON.stringify(await renderCustomResourceDefinition())) as Definition
    parts = listParts('', definition.spec.versions[0].schema.openAPIV3Schema)
  })

  const at = (path: string): StructuralSchema | undefined => parts.find((part) => part.path === path)?.part

  test('every field of the file is one of the cluster', async () => {
    const schema = (await renderModelServiceSchema()) as JsonSchema
    const fields = listFields('spec', schema.properties?.['spec'] ?? {})
    assert.ok(fields.length > 100)
    assert.deepEqual(
      fields.filter((path) => at(path) === undefined),
      [],
    )
  })

  test('nothing has a default: an apply would write it over what somebody scaled', () => {
    assert.deepEqual(
      parts.filter(({ part }) => 'default' in part).map(({ path }) => path),
      [],
    )
  })

  test('every list has a bound and says how it is merged, and every text a bound or a pattern', () => {
    const ofType = (type: string): readonly Part[] => parts.filter(({ part }) => part.type === type)
    const unbound = [
      ...ofType('array').filter(({ part }) => part['maxItems'] === undefined),
      ...ofType('array').filter(({ part }) => part['x-kubernetes-list-type'] === undefined),
      ...ofType('string').filter(
        ({ part }) => !['maxLength', 'enum', 'pattern', 'format'].some((bound) => bound in part),
      ),
    ].map(({ path }) => path)
    // Kubernetes' own, which it checks.
    const kubernetes = [
      'apiVersion',
      'kind',
      ...['labels', 'annotations'].map((map) => `spec.pod.patch.metadata.${map}.*`),
    ]
    assert.deepEqual(unbound, kubernetes)
  })

  test('every rule leads to a field that is there, and no two are the same', () => {
    const places = allRules.map(({ at, field }) => [at, field].filter((step) => step).join('.'))
    assert.deepEqual(
      places.filter((path) => path !== '' && at(path) === undefined),
      [],
    )
    const written = allRules.map(({ at, rule }) => `${at} ${rule}`)
    assert.equal(new Set(written).size, written.length)
    const placed = parts.flatMap(({ part }) => (part['x-kubernetes-validations'] ?? []) as readonly unknown[])
    assert.equal(placed.length, allRules.length)
  })

  test('what scales it and what is listed of it is there to be read', () => {
    const { subresources, additionalPrinterColumns } = definition.spec.versions[0]
    for (const path of Object.values(subresources.scale)) assert.ok(at(path.slice(1)), path)
    const columns = additionalPrinterColumns.map(({ jsonPath }) => jsonPath.slice(1).replace(/\[.*\]/, '[]'))
    assert.deepEqual(
      columns.filter((path) => path !== 'metadata.creationTimestamp' && at(path) === undefined),
      [],
    )
  })

  test('it is the same each time, and far from what a cluster can store', async () => {
    const text = JSON.stringify(await renderCustomResourceDefinition())
    assert.equal(JSON.stringify(await renderCustomResourceDefinition()), text)
    // A server-side apply stores the names of all fields once more; etcd takes 1.5 MB.
    assert.ok(text.length < 250_000, `${text.length} characters`)
  })
})

/** Every part of `schema`, under the path that rules are placed by. */
function listParts(path: string, part: StructuralSchema): readonly Part[] {
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`)
  return [
    { path, part },
    ...Object.entries(part.properties ?? {}).flatMap(([name, field]) => listParts(below(name), field)),
    ...(part.items === undefined ? [] : listParts(`${path}[]`, part.items)),
    ...(part.additionalProperties === undefined ? [] : listParts(`${path}.*`, part.additionalProperties)),
  ]
}

function listFields(path: string, { properties = {}, items }: JsonSchema): readonly string[] {
  return [
    path,
    ...Object.entries(properties).flatMap(([name, field]) => listFields(`${path}.${name}`, field)),
    ...(items === undefined ? [] : listFields(`${path}[]`, items)),
  ]
}
