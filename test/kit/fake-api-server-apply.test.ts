import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { resources } from '../../src/kube/resources.ts'
import { type ApplyLook, applySequences, runApplySequence } from './fake-api-server/conformance/apply-sequences.ts'
import { openProbe, valueAt, versionOf } from './fake-api-server/conformance/probe.ts'
import { openTestApi } from './fake-api-server/conformance/test-api.ts'
import { canonicalize } from './fake-api-server/objects/canonical-form.ts'
import { createKind } from './fake-api-server/objects/kind.ts'
import type { JsonObject, ManagedEntry } from './fake-api-server/objects/stored-object.ts'
import { type FieldSet, emptySet, encodeSet, listPaths, subtract } from './fake-api-server/ownership/field-set.ts'
import { dropUnowned, readOwnership } from './fake-api-server/ownership/managers.ts'
import { listFields, merge } from './fake-api-server/ownership/typed-value.ts'

const { schema } = createKind(resources.deployments)

const fieldsOf = (object: JsonObject, manager: string): FieldSet => {
  const entries = (valueAt(object, 'metadata.managedFields') ?? []) as readonly ManagedEntry[]
  return readOwnership(entries).find(({ name }) => name === manager)?.fields ?? emptySet
}

test('whatever two managers apply in turn, the last one has all it said, and the other no more than it said', async (t) => {
  const probe = await openProbe(await openTestApi(t))
  const property = fc.asyncProperty(applySequences, async (steps) => {
    const said = new Map<string, FieldSet>()
    await runApplySequence(probe, steps, async ({ step, status, before, after }: ApplyLook) => {
      const { manager, intent } = step
      if (status >= 400) return assert.deepEqual(after, before)
      said.set(manager, dropUnowned(listFields(intent, schema)))
      assert.deepEqual(encodeSet(fieldsOf(after, manager)), encodeSet(said.get(manager) ?? emptySet))
      assert.deepEqual(merge(after, canonicalize(intent), schema), after)
      for (const [name, all] of said) assert.deepEqual(listPaths(subtract(fieldsOf(after, name), all)), [])
      const again = await probe.apply(resources.deployments, intent, manager)
      assert.equal(versionOf(again), valueAt(after, 'metadata.resourceVersion'))
    })
  })
  await fc.assert(property, { numRuns: 10 })
})
