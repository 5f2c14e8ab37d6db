import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleAnalysis, sampleAtMs, sampleRollout, sampleService } from '../../../test/kit/rollout-sample.ts'
import { renderRollout } from './rollout-block.ts'

test('a service without a rollout has no block', () => {
  assert.deepEqual(renderRollout(sampleService(), sampleAtMs), [])
})

test('a step that is watched shows weight, bake, judge and both latencies', () => {
  const rollout = sampleRollout({
    phase: 'Baking',
    step: 1,
    candidate: { wanted: 1, ready: 1, weight: { written: 5, requests: { stable: 95, candidate: 5 } } },
    bake: { doneMs: 70_000, neededMs: 300_000, requests: 418, minRequests: 200 },
    analysis: sampleAnalysis(418, 2),
  })
  const revisions = sampleService().revisions.map((revision) => ({
    ...revision,
    latency: { count: 9, p50Ms: 12 * revision.number, p99Ms: 80 * revision.number },
  }))
  assert.deepEqual(renderRollout(sampleService({ rollout, revisions }), sampleAtMs), [
    '  rollout      revision 3 → 4   Baking at step 1 of 2 (5 %)   canary 5 % → 25 % → 100 %   for 1.3 s',
    '  capacity     1/1 of revision 4 ready',
    '  weight       written 5 %   observed 5.0 %',
    '  bake         1 m 10 s of 5 m 0 s, 418 of at least 200 requests',
    '  judge        no verdict yet   neither worse nor no worse is shown   after 7 windows',
    '               slow answers: 2 of 418 (0.48 %) new, 9 of 7940 (0.11 %) stable; tolerated at most 2 %; alarm 0.3 of 20, proof 4.1 of 20',
    '  latency      revision 3 p50 36 ms, p99 240 ms; revision 4 p50 48 ms, p99 320 ms',
  ])
})

test('every pause says which command ends it', () => {
  for (const reason of ['Manual', 'ByHand', 'Inconclusive', 'NoTraffic', 'Failed'] as const) {
    const pause = { reason, message: 'so it is', sinceMs: sampleAtMs - 2000 }
    const rows = renderRollout(sampleService({ rollout: sampleRollout({ phase: 'Paused', pause }) }), sampleAtMs)
    assert.match(
      rows.at(-1) ?? '',
      new RegExp(`paused +${reason}, 2.0 s ago: so it is; .*\`towline (promote|resume|abort) cats`),
    )
  }
})

test('a rejected revision is shown with its cause and what to do', () => {
  const rejected = { reason: 'NeverReady', message: 'it used 2 GB', hint: 'memory: 3Gi', revision: 4, atMs: 0 } as const
  assert.deepEqual(renderRollout(sampleService({ rejected }), 60_000), [
    '  rejected     revision 4, 1 m 0 s ago, NeverReady: it used 2 GB (memory: 3Gi)',
  ])
})
