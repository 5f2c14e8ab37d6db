import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReplicaMetrics } from '../../observe/metrics.ts'
import { parsePodMetrics } from './pod-metrics.ts'

test('what a replica writes is read back: answers of every status, what is in flight, time and memory of its process', async () => {
  const metrics = createReplicaMetrics('cats', { inFlight: () => 3, queuedRows: () => 0 })
  const before = parsePodMetrics(await metrics.render())
  assert.equal(before.requests, 0)
  for (const code of [200, 200, 503]) metrics.requestAnswered(code, 10)
  const { requests, inFlight, cpuMs, memoryBytes } = parsePodMetrics(await metrics.render())
  assert.deepEqual({ requests, inFlight }, { requests: 3, inFlight: 3 })
  assert.ok(cpuMs !== null && cpuMs > 1 && memoryBytes !== null && memoryBytes > 1e6)
})

test('what is not said is not known, which is not zero', () => {
  assert.deepEqual(parsePodMetrics('# HELP nothing\nother{a="} 9"} 1\n'), {
    requests: null,
    inFlight: null,
    cpuMs: null,
    memoryBytes: null,
  })
})
