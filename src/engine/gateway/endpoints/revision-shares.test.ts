import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RevisionWeight } from '../gateway-config.ts'
import type { Candidate } from './pick-endpoint.ts'
import { type RevisionShare, createShares, haveWeights, pickFromShares, turnsOfOrder } from './revision-shares.ts'

interface Replica extends Candidate {
  readonly revision: number
  state: Candidate['state']
  inFlight: number
  served: number
}

function open(
  weights: readonly RevisionWeight[],
  { turnsTaken = 0, replicas = 1 } = {},
): { readonly shares: readonly RevisionShare<Replica>[]; readonly all: readonly Replica[] } {
  const shares = createShares<Replica>(weights, turnsTaken)
  const all = weights.flatMap(({ revision }) =>
    Array.from({ length: replicas }, (): Replica => ({ revision, state: 'Active', inFlight: 0, served: 0 })),
  )
  for (const share of shares) share.candidates = all.filter(({ revision }) => revision === share.revision)
  return { shares, all }
}

function pick(shares: readonly RevisionShare<Replica>[]): Replica {
  const picked = pickFromShares(shares) ?? assert.fail('one is active')
  picked.served++
  return picked
}

const weigh = (...percents: readonly number[]): RevisionWeight[] =>
  percents.map((percent, index) => ({ revision: index + 1, percent }))

/** Of at most four revisions; some may have 0. With five and more the order can be further off than by one request. */
const weights = fc
  .array(fc.integer({ min: 0, max: 100 }), { maxLength: 3 })
  .map((cuts) => [0, ...cuts.toSorted((a, b) => a - b), 100])
  .map((bounds) => weigh(...bounds.slice(1).map((bound, index) => bound - (bounds[index] ?? 0))))
const start = fc.nat({ max: turnsOfOrder - 1 })

test('from the first turn on each revision has what its weight says, within one request, at any moment', () => {
  fc.assert(
    fc.property(weights, (list) => {
      const { shares, all } = open(list)
      for (let requests = 1; requests <= 2 * turnsOfOrder; requests++) {
        pick(shares)
        for (const [index, { percent }] of list.entries()) {
          const served = all[index]?.served ?? NaN
          assert.ok(Math.abs(served - (requests * percent) / 100) <= 1, `${served} of ${requests} for ${percent} %`)
        }
      }
    }),
  )
})

test('of two revisions this holds wherever they begin, and a whole round is always exact', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), start, (percent, turnsTaken) => {
      const { shares, all } = open(weigh(100 - percent, percent), { turnsTaken })
      for (let requests = 1; requests <= turnsOfOrder; requests++) {
        pick(shares)
        const served = all[1]?.served ?? NaN
        assert.ok(Math.abs(served - (requests * percent) / 100) <= 1, `${served} of ${requests} for ${percent} %`)
      }
      assert.deepEqual([all[0]?.served, all[1]?.served], [100 - percent, percent])
    }),
  )
  fc.assert(
    fc.property(weights, start, (list, turnsTaken) => {
      const { shares, all } = open(list, { turnsTaken })
      for (let requests = 0; requests < turnsOfOrder; requests++) pick(shares)
      assert.deepEqual(
        all.map(({ served }) => served),
        list.map(({ percent }) => percent),
      )
    }),
  )
})

test('5 % is every twentieth request, the first of them as often early as late', () => {
  const firsts = Array.from({ length: turnsOfOrder }, (_, turnsTaken) => {
    const { shares } = open(weigh(95, 5), { turnsTaken })
    const order = Array.from({ length: 60 }, () => pick(shares).revision)
    const turns = order.flatMap((revision, index) => (revision === 2 ? [index] : []))
    const [first = NaN] = turns
    assert.deepEqual(turns, [first, first + 20, first + 40])
    return first
  })
  for (let place = 0; place < 20; place++) assert.equal(firsts.filter((first) => first === place).length, 5)
})

test('whatever is ejected or busy: the pick is active, has a weight, and has the least to do of its revision', () => {
  const event = fc.record({ at: fc.nat(), state: fc.constantFrom('Active', 'Ejected'), inFlight: fc.nat({ max: 4 }) })
  fc.assert(
    fc.property(weights, start, fc.array(event, { minLength: 1 }), (list, turnsTaken, events) => {
      const { shares, all } = open(list, { turnsTaken, replicas: 3 })
      const weighted = new Set(list.filter(({ percent }) => percent > 0).map(({ revision }) => revision))
      for (const { at, state, inFlight } of events) {
        Object.assign(all[at % all.length] ?? {}, { state, inFlight })
        const active = all.filter((replica) => replica.state === 'Active' && weighted.has(replica.revision))
        const picked = pickFromShares(shares)
        if (picked === undefined) {
          assert.equal(active.length, 0)
          continue
        }
        assert.ok(active.includes(picked))
        const rivals = active.filter(({ revision }) => revision === picked.revision)
        assert.equal(picked.inFlight, Math.min(...rivals.map((rival) => rival.inFlight)))
      }
    }),
  )
})

test('all idle replicas of a revision take turns', () => {
  const { shares, all } = open(weigh(50, 45, 5), { replicas: 3 })
  for (let requests = 0; requests < 3 * turnsOfOrder; requests++) pick(shares)
  const served = all.map((replica) => replica.served)
  assert.deepEqual(served, [50, 50, 50, 45, 45, 45, 5, 5, 5])
})

test('a revision that cannot be reached leaves its turns to the others by their weights, and comes back without arrears', () => {
  const { shares, all } = open(weigh(60, 20, 20))
  const [first, second, third] = all
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  third.state = 'Ejected'
  for (let requests = 0; requests < 80; requests++) pick(shares)
  assert.deepEqual([first.served, second.served, third.served], [60, 20, 0])
  third.state = 'Active'
  for (let requests = 0; requests < 100; requests++) pick(shares)
  assert.deepEqual([first.served, second.served, third.served], [120, 40, 20])
})

test('nobody gets a turn for a weight of 0, and asking in vain moves nothing', () => {
  const { shares, all } = open(weigh(0, 95, 5))
  const [none, most, few] = all
  assert.ok(none !== undefined && most !== undefined && few !== undefined)
  for (let requests = 0; requests < 7; requests++) pick(shares)
  const before = shares.map(({ credit }) => credit)
  most.state = few.state = 'Ejected'
  for (let tries = 0; tries < 5; tries++) assert.equal(pickFromShares(shares), undefined)
  assert.deepEqual(
    shares.map(({ credit }) => credit),
    before,
  )
  assert.equal(none.served, 0)
})

test('weights are the same in any order and without those of 0', () => {
  const shares = createShares(weigh(30, 70, 0), 0)
  assert.ok(haveWeights(shares, weigh(30, 70)))
  assert.ok(haveWeights(shares, weigh(30, 70).toReversed()))
  assert.ok(!haveWeights(shares, weigh(70, 30)))
  assert.ok(!haveWeights(shares, weigh(100)))
  assert.ok(!haveWeights(shares, weigh(30, 60, 10)))
})
