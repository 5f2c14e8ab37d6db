import assert from 'node:assert/strict'
import { test } from 'node:test'
import { suggest } from './suggestion.ts'

test('a slip of the finger finds its word, another word finds none', () => {
  const words = ['replicas', 'resources', 'rollout', 'env']
  assert.equal(suggest('replica', words), 'replicas')
  assert.equal(suggest('Replcias', words), 'replicas')
  assert.equal(suggest('enb', words), 'env')
  assert.equal(suggest('volumes', words), undefined)
  assert.equal(suggest('', words), undefined)
})
