import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleService } from '../../test/kit/service-sample.ts'
import { planRollout } from '../decide/rollout/begin.ts'
import { abortRollout, startRollout } from '../decide/rollout/step.ts'
import { resolveRollout } from '../spec/resolve/resolve-rollout.ts'
import type { Service } from '../spec/service.ts'
import { type AdmittedApplication, nextNumber, nextRecord, scaleRecord } from './apply.ts'
import { type RevisionRecord, type ServiceRecord, countDesired } from './state/records.ts'

const service = sampleService({ name: 'mlp' })
const model = { digest: 'sha256:aa', path: '/kept/m' }
const revisionOf = (number: number, hash: string): RevisionRecord => ({
  number,
  hash,
  service,
  modelDigest: model.digest,
  modelPath: model.path,
  createdAtMs: 0,
  proven: true,
})
const record: ServiceRecord = {
  name: 'mlp',
  file: '/a.yaml',
  host: '127.0.0.1',
  port: 8080,
  environment: null,
  applied: service,
  target: 2,
  stable: 2,
  revisions: [revisionOf(1, 'one'), revisionOf(2, 'two')],
  rollout: null,
  warm: [],
  history: [],
  rejected: null,
  stopping: false,
  scale: null,
  lastFailure: null,
}
const apply = (hash: string, change: Partial<Service> = {}): AdmittedApplication => ({
  service: { ...service, ...change },
  file: '/a.yaml',
  environment: null,
  hash,
  model,
})
const next = (of: ServiceRecord, application: AdmittedApplication): ServiceRecord => ({
  ...of,
  ...nextRecord(of, application, 7),
})

test('the same spec again changes no revision, but takes the number of replicas', () => {
  const same = next(record, apply('two', { replicas: 3 }))
  assert.deepEqual([same.target, same.revisions.length, countDesired(same)], [2, 2, 3])
})

test('a changed spec is the next revision, and so is one that served before: it is judged like any other', () => {
  assert.equal(next(record, apply('three')).target, 3)
  const earlier = next(record, apply('one'))
  assert.deepEqual([earlier.target, earlier.stable], [3, 2])
})

test('going back to the stable spec while another one is about to replace it is that revision again', () => {
  const changed = next(record, apply('three'))
  assert.equal(next(changed, apply('two')).target, 2)
})

test('a rejected spec is refused until it changes, and a number is never used twice', () => {
  const cause = { reason: 'AnalysisFailed', message: 'errors: 9 of 10', hint: null } as const
  const rejected = {
    ...record,
    revisions: [...record.revisions, revisionOf(3, 'three')],
    rejected: { revision: 3, hash: 'three', cause, atMs: 1 },
  }
  assert.throws(() => nextRecord(rejected, apply('three'), 7), {
    code: 'TL_ROLLOUT_REJECTED',
    detail: 'revision 3, and nothing changed since: errors: 9 of 10',
  })
  const fixed = next(rejected, apply('four'))
  assert.deepEqual([fixed.target, fixed.rejected], [4, null])
  const ended = { id: 'a', kind: 'Canary', from: 2, to: 8, modelDigest: '', startedAtMs: 0, endedAtMs: 1 } as const
  assert.equal(nextNumber({ ...record, history: [{ ...ended, outcome: 'Aborted', cause }] }), 9)
})

test('a size set by hand counts until the spec has another number; within the bounds of an autoscaler', () => {
  const scaled = { ...record, ...scaleRecord(record, 4, 9) }
  assert.deepEqual(scaled.scale, { replicas: 4, reason: 'set by hand', changedAtMs: 9, autoscaler: null })
  assert.equal(countDesired(scaled), 4)
  assert.deepEqual(next(scaled, apply('two')).scale, scaled.scale, 'the same number again is no news')
  assert.equal(next(scaled, apply('two', { replicas: service.replicas + 1 })).scale, null)
  const autoscaling = { minReplicas: 2, maxReplicas: 5, targets: { concurrency: 1 }, prometheus: [] }
  const auto = next(scaled, apply('two', { autoscaling }))
  assert.equal(auto.scale?.replicas, 4, 'an autoscaler takes over what there is')
  assert.throws(() => scaleRecord(auto, 6, 9), { code: 'TL_REQUEST_INVALID', message: /between 2 and 5, not 6/ })
  assert.equal(scaleRecord(auto, 0, 9).scale?.replicas, 0)
})

test('the spec of a canary that is just being taken back is refused as it is a moment later', () => {
  const cause = { reason: 'ByHand', message: 'somebody aborted it', hint: null } as const
  const changed = next(record, apply('three'))
  const plan = planRollout({
    id: 'plan-a',
    reason: 'Apply',
    rollout: resolveRollout({ steps: [{ weight: 10 }] }, '/'),
    stable: 2,
    candidate: 3,
    replicas: 1,
    stableProven: true,
  })
  const state = abortRollout(plan, startRollout(plan, 0), cause, 0)
  const leaving = { ...changed, rollout: { plan, state, startedAtMs: 0 } }
  assert.throws(() => nextRecord(leaving, apply('three'), 7), {
    code: 'TL_ROLLOUT_REJECTED',
    message: /somebody aborted it/,
  })
  assert.equal(next(leaving, apply('four')).target, 4)
})

test('a canary is not scaled to nothing: that would be an order that nobody follows', () => {
  const plan = planRollout({
    id: 'plan-a',
    reason: 'Apply',
    rollout: resolveRollout({ steps: [{ weight: 10 }] }, '/'),
    stable: 2,
    candidate: 3,
    replicas: 1,
    stableProven: true,
  })
  const going = { ...record, rollout: { plan, state: startRollout(plan, 0), startedAtMs: 0 } }
  assert.throws(() => scaleRecord(going, 0, 9), { code: 'TL_ROLLOUT_REFUSED', hint: /towline abort mlp/ })
  assert.equal(scaleRecord(going, 3, 9).scale?.replicas, 3)
})
