import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../spec/service.ts'
import { nextRecord, restartRecord, scaleRecord } from './apply.ts'
import { type ServiceRecord, countDesired } from './state/records.ts'

const service: Service = {
  name: 'mlp',
  model: { path: '/m', name: 'mlp', format: 'onnx' },
  runtime: { kind: 'onnx', threads: 0 },
  env: [],
  serving: { timeoutMs: 1000, maxBodyBytes: 1, maxQueuedRows: 1 },
  resources: { cpuMillis: 1000 },
  replicas: 1,
  lifecycle: { startupTimeoutMs: 1000, drainTimeoutMs: 1000 },
}
const record: ServiceRecord = {
  name: 'mlp',
  file: '/a.yaml',
  host: '127.0.0.1',
  port: 8080,
  target: 2,
  revisions: [
    { number: 1, hash: 'one', service },
    { number: 2, hash: 'two', service },
  ],
  rejected: null,
  stopping: false,
  scale: null,
  lastFailure: null,
}
const failure = { reason: 'Crashed', message: 'x', hint: null, atMs: 1 }

test('the same spec again changes no revision, but takes the number of replicas', () => {
  const next = nextRecord(record, { service: { ...service, replicas: 3 }, file: '/a.yaml', hash: 'two' })
  assert.equal(next.target, 2)
  assert.deepEqual(
    next.revisions?.map(({ number, service }) => [number, service.replicas]),
    [
      [1, 1],
      [2, 3],
    ],
  )
})

test('a changed spec is the next revision, and going back to one that still runs is that one', () => {
  assert.equal(nextRecord(record, { service, file: '/a.yaml', hash: 'three' }).target, 3)
  assert.equal(nextRecord(record, { service, file: '/a.yaml', hash: 'one' }).target, 1)
})

test('asking again for a rejected revision is a new try with a new number', () => {
  const rejected = { ...record, target: 1, rejected: { revision: 2, failure } }
  const next = nextRecord(rejected, { service, file: '/a.yaml', hash: 'two' })
  assert.equal(next.target, 3)
  assert.equal(next.rejected, null)
})

test('a restart is the same spec under a new number, and applying that spec again changes nothing more', () => {
  const restarted = { ...record, ...restartRecord(record) }
  assert.deepEqual([restarted.target, restarted.revisions.length], [3, 3])
  assert.equal(restarted.revisions.at(-1)?.hash, 'two')
  assert.equal(nextRecord(restarted, { service, file: '/a.yaml', hash: 'two' }).target, 3)
})

test('a size set by hand counts until the next spec; within the bounds of an autoscaler', () => {
  const scaled = { ...record, ...scaleRecord(record, 4, 9) }
  assert.deepEqual(scaled.scale, { replicas: 4, reason: 'set by hand', changedAtMs: 9, autoscaler: null })
  assert.equal(countDesired(scaled), 4)
  assert.equal(nextRecord(scaled, { service, file: '/a.yaml', hash: 'two' }).scale, null)
  const autoscaling = { minReplicas: 2, maxReplicas: 5, targets: { concurrency: 1 }, prometheus: [] }
  const next = nextRecord(scaled, { service: { ...service, autoscaling }, file: '/a.yaml', hash: 'two' })
  assert.equal(next.scale?.replicas, 4, 'an autoscaler takes over what there is')
  const auto = { ...scaled, ...next }
  assert.throws(() => scaleRecord(auto, 6, 9), { code: 'TL_REQUEST_INVALID', message: /between 2 and 5, not 6/ })
  assert.equal(scaleRecord(auto, 0, 9).scale?.replicas, 0)
})
