import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ReplicasQuestion, decideReplicas } from './decide-replicas.ts'

const table: readonly (readonly [string, ReplicasQuestion, 'Keep' | 'Set', number])[] = [
  ['a new service starts with the number of its spec', { wanted: 3, minReplicas: 1 }, 'Set', 3],
  ['a new one may start asleep', { wanted: 0, minReplicas: 1 }, 'Set', 0],
  ['a new autoscaled one starts with the least', { wanted: null, minReplicas: 2 }, 'Set', 2],
  ['a new autoscaled one never starts with none', { wanted: null, minReplicas: 0 }, 'Set', 1],
  [
    'what a person scaled stays over an apply of the same spec',
    { live: { replicas: 7, specReplicas: 3 }, wanted: 3, minReplicas: 1 },
    'Keep',
    7,
  ],
  ['asleep stays asleep', { live: { replicas: 0, specReplicas: 3 }, wanted: 3, minReplicas: 1 }, 'Keep', 0],
  ['a new number of the spec counts', { live: { replicas: 7, specReplicas: 3 }, wanted: 4, minReplicas: 1 }, 'Set', 4],
  [
    'from autoscaled to a fixed number: that of the spec',
    { live: { replicas: 9 }, wanted: 2, minReplicas: 1 },
    'Set',
    2,
  ],
  [
    'from a fixed number to autoscaled: it begins where it is',
    { live: { replicas: 5, specReplicas: 5 }, wanted: null, minReplicas: 2 },
    'Set',
    5,
  ],
  [
    'the number of the spec is noted, also where somebody had scaled to it before',
    { live: { replicas: 5, specReplicas: 3 }, wanted: 5, minReplicas: 1 },
    'Set',
    5,
  ],
  ['what was made and never got its number gets it', { live: { replicas: 1 }, wanted: 4, minReplicas: 1 }, 'Set', 4],
  [
    'an autoscaler would leave asleep what a spec put to sleep',
    { live: { replicas: 0, specReplicas: 0 }, wanted: null, minReplicas: 2 },
    'Set',
    2,
  ],
  [
    'an autoscaled one that a person put to sleep stays asleep',
    { live: { replicas: 0 }, wanted: null, minReplicas: 2 },
    'Keep',
    0,
  ],
]

for (const [name, question, kind, replicas] of table)
  test(name, () => {
    const noted = kind === 'Set' ? { specReplicas: question.wanted } : {}
    assert.deepEqual(decideReplicas(question), { kind, replicas, ...noted })
  })

test('the same spec applied again keeps the number, whatever it has become', () => {
  fc.assert(
    fc.property(fc.option(fc.nat(20)), fc.nat(5), fc.nat(50), (wanted, minReplicas, scaled) => {
      const specReplicas = wanted ?? undefined
      const again = decideReplicas({ live: { replicas: scaled, specReplicas }, wanted, minReplicas })
      assert.deepEqual(again, { kind: 'Keep', replicas: scaled })
    }),
  )
})
