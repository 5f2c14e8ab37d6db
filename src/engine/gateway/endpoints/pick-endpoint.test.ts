import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Candidate, pickEndpoint } from './pick-endpoint.ts'

const candidates = fc.array(
  fc.record<Candidate>({ state: fc.constantFrom('Active', 'Ejected', 'Draining'), inFlight: fc.nat(5) }),
  { maxLength: 8 },
)

test('the pick is active and nobody active has less to do; without an active one there is none', () => {
  fc.assert(
    fc.property(candidates, fc.nat(), (list, turn) => {
      const active = list.filter(({ state }) => state === 'Active')
      const index = pickEndpoint(list, turn)
      if (index === undefined) return assert.equal(active.length, 0)
      const picked = list[index] ?? assert.fail('the pick is in the list')
      assert.equal(picked.state, 'Active')
      assert.equal(picked.inFlight, Math.min(...active.map(({ inFlight }) => inFlight)))
    }),
  )
})

test('idle endpoints take turns, and work that never ends spreads evenly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 50 }), fc.boolean(), (count, requests, stays) => {
      const load = Array.from({ length: count }, () => ({ state: 'Active' as const, inFlight: 0, served: 0 }))
      let turn = 0
      for (let request = 0; request < requests; request++) {
        const index = pickEndpoint(load, turn) ?? assert.fail('one is active')
        turn = index + 1
        const endpoint = load[index] ?? assert.fail('the pick is in the list')
        endpoint.served++
        if (stays) endpoint.inFlight++
      }
      const served = load.map((endpoint) => endpoint.served)
      assert.ok(Math.max(...served) - Math.min(...served) <= 1, String(served))
    }),
  )
})
