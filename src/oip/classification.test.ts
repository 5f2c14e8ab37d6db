import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readClasses, renderClassification } from './classification.ts'

test('classes that were written are read again, and another answer is none', () => {
  const classes = [
    { index: 967, label: 'espresso', score: 0.957 },
    { index: 968, label: 'cup', score: 0.013 },
  ]
  assert.deepEqual(readClasses(renderClassification({ modelName: 'm', id: '1', classes })), classes)
  for (const other of [undefined, null, 'text', { outputs: 5 }, { outputs: [{ name: 'labels', data: ['a'] }] }])
    assert.equal(readClasses(other), undefined)
})
