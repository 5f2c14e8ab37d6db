import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeployEnd } from '../../cluster/deploy/deploy-service.ts'
import type { DeployPlan } from '../../cluster/plan/deploy-plan.ts'
import { explainEnd, explainRefusals } from './deploy-failure.ts'

const plan: DeployPlan = {
  context: 'prod',
  namespace: 'ml',
  name: 'cats',
  revision: { from: 'aaaa', to: 'bbbb' },
  objects: [],
  replicas: { from: 2, to: 2, by: 'Kept' },
  pods: null,
  placement: null,
  warnings: [],
  refusals: [],
}
const cause = {
  subject: 'pod cats-1',
  revision: 'bbbb',
  reason: 'Crashed',
  sentence: 'it ended with exit code 1',
  advice: 'see `towline logs cats --previous`',
  evidence: [],
  final: true,
  sinceMs: 0,
  blocks: 'Rollout',
} as const

test('a failure says what, what serves now, and commands that lead to the same place', () => {
  const end: DeployEnd = { kind: 'Failed', cause, serving: 2, back: { kind: 'Back', to: 'aaaa', isReady: true } }
  const failure = explainEnd(plan, end)
  assert.equal(failure?.code, 'TL_DEPLOY_FAILED')
  assert.equal(
    failure.detail,
    'cats: revision bbbb, pod cats-1: it ended with exit code 1; the revision before it is back, 2 replicas serve',
  )
  assert.match(
    failure.hint ?? '',
    /^see `towline logs cats --previous --context prod -n ml`; `towline history cats --context prod -n ml`/,
  )
  const first: DeployEnd = { kind: 'Failed', cause, serving: 0, back: { kind: 'Stays', reason: 'NothingBefore' } }
  assert.match(explainEnd(plan, first)?.detail ?? '', /; nothing serves$/)
})

test('a time that is over is a failure that says that it goes on; ready, written and paused are none', () => {
  assert.match(
    explainEnd(plan, { kind: 'Late', tookMs: 60_000, cause })?.detail ?? '',
    /not ready after 1 m 0 s: it ended/,
  )
  for (const end of [{ kind: 'Ready', tookMs: 1, serving: 2 }, { kind: 'Written' }, { kind: 'Paused' }] as const)
    assert.equal(explainEnd(plan, end), undefined)
})

test('the first refusal is the failure, and how many more there are', () => {
  assert.equal(explainRefusals(plan), undefined)
  const refusal = { code: 'TL_CLUSTER_FORBIDDEN', detail: 'you may not', hint: 'ask' } as const
  const failure = explainRefusals({ ...plan, refusals: [refusal, { ...refusal, detail: 'nor that' }] })
  assert.deepEqual(
    [failure?.code, failure?.detail, failure?.hint],
    ['TL_CLUSTER_FORBIDDEN', 'cats, nothing was written: you may not (and 1 more, above)', 'ask'],
  )
})
