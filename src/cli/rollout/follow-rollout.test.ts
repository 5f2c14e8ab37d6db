import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleAtMs, sampleRollout, sampleService } from '../../../test/kit/rollout-sample.ts'
import { TowlineError } from '../../base/errors.ts'
import type { ServiceStatus } from '../../control/api.ts'
import type { EndedRollout } from '../../engine/state/records.ts'
import type { Place } from '../../control/service-control.ts'
import { type Followed, type Outcome, describeWait, findFailure, followRollout } from './follow-rollout.ts'

const ended: EndedRollout = {
  id: 'plan-1',
  kind: 'Canary',
  from: 3,
  to: 4,
  modelDigest: '',
  startedAtMs: 0,
  endedAtMs: 9,
  outcome: 'Promoted',
  cause: null,
}
const calm = sampleService({ revisions: [] })

async function follow(
  looks: readonly ServiceStatus[],
  rollouts: readonly EndedRollout[] = [],
  more: Partial<Pick<Followed, 'own'>> & { readonly place?: Place } = {},
): Promise<{ outcome: Outcome; rows: string[] }> {
  const rows: string[] = []
  const changes = (async function* () {
    await Promise.resolve()
    yield* looks
  })()
  const outcome = await followRollout({
    control: {
      place: more.place ?? { kind: 'Engine', projectDir: '/' },
      history: () => Promise.resolve({ revisions: [], rollouts }),
    },
    name: 'cats',
    own: more.own,
    changes,
    print: (row) => rows.push(row),
    say: () => undefined,
  })
  return { outcome, rows }
}

test('a service to which nothing happens is calm at once', async () => {
  assert.equal((await follow([calm])).outcome.kind, 'Calm')
})

test('a revision that was applied is waited for, until its rollout has ended', async () => {
  const { outcome, rows } = await follow([sampleService(), sampleService({ rollout: sampleRollout() }), calm], [ended])
  assert.deepEqual(outcome, { kind: 'Ended', status: calm, ended })
  assert.match(rows.join('\n'), /plan .*\n.*promoted/)
})

test('a paused rollout is left to a person, and spec.paused is said', async () => {
  const pause = { reason: 'Manual', message: 'm', sinceMs: 1 } as const
  const paused = sampleService({ rollout: sampleRollout({ phase: 'Paused', pause }) })
  assert.equal((await follow([paused])).outcome.kind, 'Paused')
  assert.equal((await follow([sampleService({ paused: true })])).outcome.kind, 'Held')
})

test('the rollout that takes the place of one is followed too', async () => {
  const cause = { reason: 'Superseded', message: 'revision 5 was applied', hint: null } as const
  const first = { ...ended, outcome: 'Aborted', cause } as const
  const looks = [
    sampleService({ rollout: sampleRollout() }),
    sampleService({ rollout: sampleRollout({ id: 'plan-2' }) }),
    calm,
  ]
  const { outcome } = await follow(looks, [first, { ...ended, id: 'plan-2' }])
  assert.equal(outcome.kind === 'Ended' && outcome.ended.id, 'plan-2')
})

test('on a cluster, what somebody else puts in the place of an order is not what came of it', async () => {
  const place = { kind: 'Cluster', context: 'prod', namespace: 'ml', server: 'https://x' } as const
  const own = sampleRollout({ id: 'revision-3', to: 3 })
  const other = sampleRollout({ id: 'revision-4', to: 4 })
  const looks = [sampleService({ rollout: own }), sampleService({ rollout: other }), calm]
  const ended4: EndedRollout = { ...ended, id: 'revision-4' }
  await assert.rejects(follow(looks, [ended4], { place, own: 'revision-3' }), {
    code: 'TL_CLUSTER_CONFLICT',
    message: /revision 4 is on its way, and that is not what was asked of/,
  })
  assert.equal((await follow(looks, [ended4], { place })).outcome.kind, 'Ended')
})

test('an engine that ends in between is named', async () => {
  await assert.rejects(follow([sampleService({ rollout: sampleRollout() })]), { code: 'TL_ENGINE_LOST' })
})

test('a new revision that fails with nothing to turn back to is no endless wait', async () => {
  const instance = {
    name: 'cats-4-a',
    revision: 4,
    phase: 'Waiting',
    pid: null,
    port: null,
    metricsPort: null,
    startedAtMs: null,
    warmupMs: null,
    restarts: 3,
    nextStartAtMs: null,
    lastFailure: { reason: 'Crashed', message: 'it crashed', hint: null, atMs: 1 },
  } as const
  const failed = sampleService({
    phase: 'Failed',
    rollout: sampleRollout({ kind: 'Rolling', phase: 'Rolling' }),
    instances: [instance],
    lastFailure: instance.lastFailure,
  })
  const { outcome } = await follow([failed])
  assert.equal(findFailure(outcome, 'cats')?.code, 'TL_SERVICE_FAILED')
})

test('an abort is a failure with the numbers and where the evidence is; a promotion is none', () => {
  const cause = { reason: 'AnalysisFailed', message: 'slow answers: 31 of 418 of revision 4', hint: 'look' } as const
  const aborted = { kind: 'Ended', status: calm, ended: { ...ended, outcome: 'Aborted', cause } } as const
  const failure = findFailure(aborted, 'cats')
  assert(failure instanceof TowlineError)
  assert.deepEqual(
    [failure.code, failure.detail, failure.hint],
    ['TL_ROLLOUT_REJECTED', cause.message, 'look; `towline why cats` shows the evidence'],
  )
  assert.equal(findFailure({ kind: 'Ended', status: calm, ended }, 'cats'), undefined)
})

test('a step that waits for a person is no failure, any other pause is', () => {
  const codeOf = (reason: 'Manual' | 'ByHand' | 'Inconclusive' | 'NoTraffic' | 'Failed') => {
    const rollout = sampleRollout({ pause: { reason, message: 'm', sinceMs: sampleAtMs } })
    return findFailure({ kind: 'Paused', status: calm, rollout }, 'cats')?.code
  }
  assert.equal(codeOf('Manual'), undefined)
  for (const reason of ['ByHand', 'Inconclusive', 'NoTraffic', 'Failed'] as const)
    assert.equal(codeOf(reason), 'TL_ROLLOUT_PAUSED')
})

test('what is waited for changes its words in a pipe only with the phase', () => {
  const status = sampleService({ rollout: sampleRollout({ phase: 'Baking', step: 1 }), summary: '418 requests' })
  assert.equal(describeWait({ live: false }, status), 'revision 4: baking at step 1 of 2 (5 %)')
  assert.equal(describeWait({ live: true }, status), '418 requests')
})
