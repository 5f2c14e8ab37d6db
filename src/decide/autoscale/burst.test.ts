import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PanicState, defaultBurst, stepBurst } from './burst.ts'

const policy = { ...defaultBurst, target: 4 }

test('at a steady load it is the load over the target', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), (load) => {
      const needed = Math.ceil(load / 4)
      assert.deepEqual(stepBurst(policy, { stable: load, panic: load, readyReplicas: needed }, null, 0), {
        replicas: needed,
        panic: null,
      })
    }),
  )
})

test('a peak of twice what is ready grows it at once, and it stays grown for a stable window', () => {
  const first = stepBurst(policy, { stable: 4, panic: 40, readyReplicas: 1 }, null, 1000)
  assert.deepEqual(first, { replicas: 10, panic: { sinceMs: 1000, lastOverMs: 1000, peak: 10 } })
  const calm = { stable: 3, panic: 0, readyReplicas: 10 }
  assert.equal(stepBurst(policy, calm, first.panic, 60_999).replicas, 10)
  assert.deepEqual(stepBurst(policy, calm, first.panic, 61_000), { replicas: 5, panic: null })
})

test('one look at most halves, and no data changes nothing', () => {
  assert.equal(stepBurst(policy, { stable: 0, panic: 0, readyReplicas: 9 }, null, 0).replicas, 4)
  assert.equal(stepBurst(policy, { stable: 0, panic: 0, readyReplicas: 1 }, null, 0).replicas, 0)
  assert.deepEqual(stepBurst(policy, { stable: null, panic: null, readyReplicas: 9 }, null, 0), {
    replicas: null,
    panic: null,
  })
})

test('in panic it never shrinks, whatever comes', () => {
  const looks = fc.array(fc.record({ stable: fc.nat(300), panic: fc.nat(300), readyReplicas: fc.nat(50) }), {
    minLength: 2,
    maxLength: 60,
  })
  fc.assert(
    fc.property(looks, (observations) => {
      let panic: PanicState | null = null
      let least = 0
      for (const [index, observation] of observations.entries()) {
        const step = stepBurst(policy, observation, panic, index * 2000)
        if (step.panic === null) least = 0
        else {
          assert.ok(step.replicas !== null && step.replicas >= least)
          least = step.replicas
        }
        panic = step.panic
      }
    }),
  )
})
