import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { renderModelCardSchema, renderModelServiceSchema } from './json-schema.ts'

const example = join(import.meta.dirname, '../../examples/image-classifier')
const read = (name: string): unknown => parse(readFileSync(join(example, name), 'utf8'))

test('the JSON Schema of a service takes the example and refuses what the loader refuses', async () => {
  const check = new Ajv2020({ strict: false, allErrors: true }).compile(await renderModelServiceSchema())
  assert.equal(check(read('towline.yaml')), true)
  const wrong = { apiVersion: 'towline.dev/v1alpha1', kind: 'ModelService', metadata: { name: 'A' } }
  const spec = { model: { uri: './model' }, replica: 1, serving: { timeout: '5 min' }, replicas: 1.5 }
  assert.equal(check({ ...wrong, spec }), false)
  assert.deepEqual(check.errors?.map(({ instancePath }) => instancePath).toSorted(), [
    '/metadata/name',
    '/spec',
    '/spec/replicas',
    '/spec/serving/timeout',
  ])
})

test('the JSON Schema of a card takes the example', async () => {
  const check = new Ajv2020({ strict: false }).compile(await renderModelCardSchema())
  assert.equal(check(read('model/card.yaml')), true)
  assert.equal(check({ task: 'Other' }), false)
})

test('every field of a service is there to be described', async () => {
  const text = JSON.stringify(await renderModelServiceSchema())
  for (const field of ['profile', 'autoscaling', 'observability', 'minComputeCapability', 'warmRevisions'])
    assert.ok(text.includes(`"${field}"`), field)
})
