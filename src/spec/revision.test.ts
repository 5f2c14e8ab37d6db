import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { renderDuration } from '../base/duration.ts'
import { resolveService } from './resolve/resolve-service.ts'
import { revisionOf } from './revision.ts'
import type { ModelServiceDocument } from './schema/model-service.ts'

type Spec = Omit<ModelServiceDocument['spec'], 'model'>

function revision(spec: Spec, name = 'cats'): string {
  const document: ModelServiceDocument = {
    apiVersion: 'towline.dev/v1alpha1',
    kind: 'ModelService',
    metadata: { name },
    spec: { model: { uri: './model' }, ...spec },
  }
  return revisionOf(resolveService(document, { baseDir: '/srv', env: {}, apiKeys: [] }))
}

test('another spelling, a written default, the order of env and the number of replicas make no revision', () => {
  assert.equal(revision({ serving: { timeout: '60s' } }), revision({ serving: { timeout: '1m' } }))
  assert.equal(revision({ resources: { cpu: 1 } }), revision({ resources: { cpu: '1000m' } }))
  assert.equal(revision({}), revision({ serving: { timeout: '10s', maxBody: '64Mi', maxQueuedRows: 256 } }))
  assert.equal(revision({ replicas: 1 }), revision({ replicas: 5 }))
  const [a, b] = [
    { name: 'A', value: 'a' },
    { name: 'B', value: 'b' },
  ]
  assert.equal(revision({ env: [a, b] }), revision({ env: [b, a] }))
})

test('every field that replaces replicas makes a revision of its own', () => {
  const revisions = [
    revision({}),
    revision({ env: [{ name: 'A', value: 'a' }] }),
    revision({ env: [{ name: 'A', value: 'b' }] }),
    revision({ serving: { timeout: '11s' } }),
    revision({ serving: { maxBody: '1Mi' } }),
    revision({ serving: { maxQueuedRows: 1 } }),
    revision({ resources: { cpu: 2 } }),
    revision({ resources: { memory: '1Gi' } }),
    revision({ runtime: { onnx: { threads: 1 } } }),
    revision({ lifecycle: { startupTimeout: '61s' } }),
    revision({ lifecycle: { drainTimeout: '31s' } }),
  ]
  assert.equal(new Set(revisions).size, revisions.length)
})

test('durations of equal length are one revision, of unequal length two', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 1, max: 99_999 }), (one, other) => {
      const plain = revision({ serving: { timeout: `${one}ms` } })
      assert.equal(plain, revision({ serving: { timeout: renderDuration(one) } }))
      assert.equal(plain === revision({ serving: { timeout: `${other}ms` } }), one === other)
    }),
  )
})
