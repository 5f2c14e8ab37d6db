import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoadStatus } from '../../control/api.ts'
import { compareLoads, renderLoads } from './load-table.ts'

const look = (atMs: number, requests: number, cpuMs: number | null): LoadStatus => ({
  atMs,
  services: [
    {
      name: 'cats',
      phase: 'Ready',
      replicas: { desired: 1, ready: 1 },
      traffic: { requests, errors: 0, inFlight: 3, waiting: 0, latency: { count: 5, p50Ms: 12, p99Ms: 80 } },
      instances: [{ name: 'cats-1-a', phase: 'Ready', inFlight: 3, requests, cpuMs, memoryBytes: 100e6 }],
    },
  ],
})

test('two looks give rates, and CPU as a share of a core', () => {
  assert.equal(
    renderLoads(compareLoads(look(0, 100, 1000), look(2000, 150, 2500))),
    [
      'SERVICE     PHASE  REPLICAS  REQ/S  IN FLIGHT  HELD  P50    P99    CPU %  MEMORY',
      'cats        Ready  1/1       25     3          0     12 ms  80 ms  75     100 MB',
      '  cats-1-a  Ready            25     3          -     -      -      75     100 MB',
    ].join('\n'),
  )
})

test('a process or a gateway that was replaced in between has no rate, and so has what was not there', () => {
  const [service, replica] = compareLoads(look(0, 100, 1000), look(2000, 20, 10))
  assert.deepEqual([service?.requestsPerSecond, replica?.cpuPercent], [null, null])
  const [appeared] = compareLoads({ atMs: 0, services: [] }, look(2000, 20, 10))
  assert.deepEqual([appeared?.requestsPerSecond, appeared?.cpuPercent, appeared?.memoryBytes], [null, null, 100e6])
  assert.equal(compareLoads(look(0, 1, null), look(1, 1, 5))[1]?.cpuPercent, null)
})
