import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CountedRoute, EvidenceSampler, countsOf } from './evidence.ts'

const pace = { windowMs: 10_000, warmUpMs: 5000 }
const compared = { stable: 3, candidate: 4 }

type Counted = readonly [requests: number, errors?: number, refused?: number, slow?: number]
function traffic(measuredAtMs: number, stable: Counted, candidate: Counted, countedSince = 'first'): CountedRoute {
  const revision = (number: number, [requests, errors = 0, refused = 0, slow = 0]: Counted) => ({
    revision: number,
    requests,
    errors,
    refused,
    slow,
    inFlight: 0,
    latency: null,
  })
  return { countedSince, measuredAtMs, revisions: [revision(3, stable), revision(4, candidate)] }
}
const counts = (requests: number, errors = 0, slow = 0) => ({ requests, errors, slow })

/** A sampler whose warm-up ended at 5 s, with 90 and 10 requests until then. */
function warmSampler(): EvidenceSampler {
  const sampler = new EvidenceSampler(pace)
  assert.equal(sampler.sample('step 0', traffic(0, [0], [0]), compared), null)
  assert.equal(sampler.sample('step 0', traffic(4999, [80], [9, 9]), compared), null)
  assert.equal(sampler.sample('step 0', traffic(5000, [90], [10, 9]), compared), null)
  return sampler
}

test('the warm-up after a change of weight is in no window', () => {
  const sampler = warmSampler()
  assert.deepEqual(sampler.sample('step 0', traffic(15_000, [990], [110, 10]), compared), {
    durationMs: 10_000,
    stable: counts(900),
    candidate: counts(100, 1),
  })
})

test('a window ends when it is long enough, and the next one begins where it ended', () => {
  const sampler = warmSampler()
  assert.equal(sampler.sample('step 0', traffic(14_999, [900], [100]), compared), null)
  const first = sampler.sample('step 0', traffic(15_600, [950], [110]), compared)
  assert.deepEqual([first?.durationMs, first?.candidate.requests], [10_600, 100])
  assert.equal(sampler.sample('step 0', traffic(25_500, [1800], [200]), compared), null)
  const second = sampler.sample('step 0', traffic(25_600, [1850], [210]), compared)
  assert.deepEqual([second?.durationMs, second?.candidate.requests], [10_000, 100])
})

test('a window without a request is one all the same', () => {
  const silent = warmSampler().sample('step 0', traffic(15_000, [90], [10, 9]), compared)
  assert.deepEqual(silent, { durationMs: 10_000, stable: counts(0), candidate: counts(0) })
})

test('counts of another gateway process begin anew, so that no window goes over both', () => {
  const sampler = warmSampler()
  assert.equal(sampler.sample('step 0', traffic(100, [5], [1], 'second'), compared), null)
  assert.equal(sampler.sample('step 0', traffic(10_099, [900], [99], 'second'), compared), null)
  assert.deepEqual(sampler.sample('step 0', traffic(10_100, [905], [101], 'second'), compared), {
    durationMs: 10_000,
    stable: counts(900),
    candidate: counts(100),
  })
})

test('another gateway process within the warm-up begins the warm-up anew', () => {
  const sampler = new EvidenceSampler(pace)
  sampler.sample('step 0', traffic(0, [0], [0]), compared)
  sampler.sample('step 0', traffic(100, [0], [0], 'second'), compared)
  assert.equal(sampler.sample('step 0', traffic(5099, [90], [10], 'second'), compared), null)
  assert.equal(sampler.sample('step 0', traffic(5100, [90], [10], 'second'), compared), null)
  const window = sampler.sample('step 0', traffic(15_100, [990], [110], 'second'), compared)
  assert.deepEqual(window?.candidate, counts(100))
})

test('another stretch of the rollout has its own warm-up and its own windows', () => {
  const sampler = warmSampler()
  assert.equal(sampler.sample('step 1', traffic(15_000, [900], [100]), compared), null)
  assert.equal(sampler.sample('step 1', traffic(20_000, [1000], [200]), compared), null)
  const window = sampler.sample('step 1', traffic(30_000, [1500], [700]), compared)
  assert.deepEqual(window, { durationMs: 10_000, stable: counts(500), candidate: counts(500) })
})

test('where nothing is compared, or nothing is counted, there is no evidence', () => {
  const sampler = warmSampler()
  assert.equal(sampler.sample('step 0', undefined, compared), null)
  // Counts that were missed for a while are still of the same stretch.
  const late = sampler.sample('step 0', traffic(40_000, [990], [110, 9]), compared)
  assert.deepEqual([late?.durationMs, late?.candidate], [35_000, counts(100)])
  assert.equal(sampler.sample(null, traffic(60_000, [2000], [300]), compared), null)
  assert.equal(sampler.sample('step 0', traffic(80_000, [3000], [400]), compared), null)
})

test('a refused request counts as an error, and a revision that was asked nothing has no counts', () => {
  assert.deepEqual(countsOf(traffic(0, [0], [100, 3, 4, 5]), 4), counts(100, 7, 5))
  assert.deepEqual(countsOf(traffic(0, [0], [100]), 9), counts(0))
})
