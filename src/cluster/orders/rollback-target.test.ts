import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { marks } from '../concerns.ts'
import { type RollbackLook, chooseTarget } from './rollback-target.ts'

interface Kept {
  readonly number: number
  /** What its pods are made of; two of the same differ by when they were restarted at most. */
  readonly image: string
  readonly restartedAt?: string
  readonly replicas?: number
  readonly rejected?: boolean
  /** It was the newest before, and came back. */
  readonly cameBack?: boolean
}

interface Setting {
  readonly kept: readonly Kept[]
  /** Default: the newest of those kept. */
  readonly live?: Pick<Kept, 'image' | 'restartedAt'>
  readonly paused?: boolean
  /** The controller has not seen the last change yet. */
  readonly unseen?: boolean
  /** Default: the newest is complete, as far as the numbers of replicas go. */
  readonly hangs?: boolean
}

function templateOf({ image, restartedAt }: Pick<Kept, 'image' | 'restartedAt'>, hash?: string): PodTemplateSpec {
  return {
    metadata: {
      labels: { app: 'cats', ...(hash === undefined ? {} : { 'pod-template-hash': hash }) },
      annotations: restartedAt === undefined ? {} : { [marks.restartedAt]: restartedAt },
    },
    spec: { containers: [{ name: 'server', image }] },
  }
}

function lookOf({ kept, live, paused = false, unseen = false, hangs = false }: Setting): RollbackLook {
  const newest = kept.at(-1)
  assert.ok(newest)
  const replicaSets = kept.map((each): ReplicaSet => ({
    metadata: {
      name: `cats-${each.number}`,
      uid: `uid-${each.number}`,
      annotations: {
        'deployment.kubernetes.io/revision': String(each.number),
        ...(each.rejected === true ? { [marks.rejected]: 'Crashed: it crashes' } : {}),
        ...(each.cameBack === true ? { 'deployment.kubernetes.io/revision-history': '1' } : {}),
      },
    },
    spec: { selector: {}, template: templateOf(each, `hash${each.number}`) },
    status: { replicas: each.replicas ?? (each === newest ? 2 : 0) },
  }))
  const deployment: Deployment = {
    metadata: { name: 'cats', generation: 5 },
    spec: { selector: {}, template: templateOf(live ?? newest), ...(paused ? { paused } : {}) },
    status: {
      observedGeneration: unseen ? 4 : 5,
      conditions: [
        {
          type: 'Progressing',
          status: 'True',
          reason: hangs ? 'ReplicaSetUpdated' : 'NewReplicaSetAvailable',
          lastUpdateTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  }
  return { deployment, replicaSets }
}

const one: Kept = { number: 1, image: 'a' }
const two: Kept = { number: 2, image: 'b' }
const three: Kept = { number: 3, image: 'c' }

const choose = (setting: Setting, wish: Parameters<typeof chooseTarget>[1] = {}) => {
  const { from, target, nothing } = chooseTarget(lookOf(setting), wish)
  return [from, target.number, nothing]
}

test('the way back is the newest earlier revision that was not given up', () => {
  assert.deepEqual(choose({ kept: [one, two, three] }), [3, 2, null])
  assert.deepEqual(choose({ kept: [one, { ...two, rejected: true }, three] }), [3, 1, null])
})

test('one that was given up is gone to only by its number', () => {
  const kept = [{ ...one, rejected: true }, two]
  assert.throws(() => choose({ kept }), { code: 'TL_ROLLOUT_REFUSED', hint: /it keeps 1 \(given up\), 2; name one/ })
  assert.deepEqual(choose({ kept }, { to: 1 }), [2, 1, null])
})

test('a revision that differs by a restart alone is no way back', () => {
  const restarted = { ...two, number: 3, restartedAt: '2026-01-01T00:00:00Z' }
  assert.deepEqual(choose({ kept: [one, two, restarted] }), [3, 1, null])
  assert.throws(() => choose({ kept: [two, restarted] }), { code: 'TL_ROLLOUT_REFUSED', message: /no earlier/ })
})

test('while a change goes on the way back is to the one that serves, also out of a restart', () => {
  assert.deepEqual(choose({ kept: [one, { ...two, replicas: 2 }, { ...three, replicas: 1 }] }), [3, 2, null])
  const restarting = { ...two, number: 3, restartedAt: '2026-01-01T00:00:00Z', replicas: 1 }
  assert.deepEqual(choose({ kept: [one, { ...two, replicas: 2 }, restarting] }), [3, 2, null])
})

test('pods of one that was given up are nothing to go back to', () => {
  const kept = [one, { ...two, replicas: 1, rejected: true }, { ...three, replicas: 1 }]
  assert.deepEqual(choose({ kept }), [3, 1, null])
})

test('said twice it goes back once: before and after the controller has seen the first', () => {
  const kept = [one, two]
  const why = 'it is on its way back to revision'
  assert.deepEqual(choose({ kept, live: one, unseen: true }, { from: 2 }), [1, 1, `${why} 1`])
  const left = { ...two, rejected: true }
  const back = { ...one, number: 3, cameBack: true, replicas: 1 }
  assert.deepEqual(choose({ kept: [{ ...left, replicas: 2 }, back] }, { from: 2 }), [3, 3, `${why} 3`])
  const done = { ...back, replicas: 2 }
  assert.deepEqual(choose({ kept: [left, done] }, { from: 2 }), [3, 3, 'revision 3 serves already'])
  // Asked anew it is another wish, and there is nothing further back.
  assert.throws(() => choose({ kept: [left, done] }, { from: 3 }), { code: 'TL_ROLLOUT_REFUSED' })
})

test('what was given up before and is tried again is left for the one that serves', () => {
  const again = { ...two, number: 4, cameBack: true, rejected: true, replicas: 1 }
  assert.deepEqual(choose({ kept: [{ ...one, number: 3, replicas: 2 }, again], hangs: true }), [4, 3, null])
})

test('what came back by a deploy of the same spec again is no way back', () => {
  const again = { ...two, number: 4, cameBack: true, replicas: 1 }
  assert.deepEqual(choose({ kept: [{ ...one, number: 3, replicas: 2 }, again], hangs: true }, { from: 3 }), [
    4,
    3,
    null,
  ])
})

test('a template that has no ReplicaSet yet is left for the newest that has one', () => {
  assert.deepEqual(choose({ kept: [one, two], live: { image: 'c' }, unseen: true }), [3, 2, null])
})

test('a number is taken at its word, and the known ones are named', () => {
  const kept = [one, two, three]
  assert.deepEqual(choose({ kept }, { to: 1 }), [3, 1, null])
  assert.deepEqual(choose({ kept }, { to: 3 }), [3, 3, 'revision 3 serves already'])
  const onItsWay = [one, { ...two, replicas: 2 }, { ...three, replicas: 1 }]
  assert.deepEqual(choose({ kept: onItsWay }, { to: 3 }), [3, 3, 'it is on its way to revision 3'])
  assert.throws(() => choose({ kept }, { to: 9 }), {
    code: 'TL_ROLLOUT_REFUSED',
    detail: 'cats has no revision 9',
    hint: 'it keeps 1, 2, 3',
  })
})

test('a paused one goes nowhere, and says how it is let go', () => {
  assert.throws(() => choose({ kept: [one, two], paused: true }), { code: 'TL_ROLLOUT_REFUSED', hint: /paused: false/ })
})
