import assert from 'node:assert/strict'
import { explainService } from '../../../src/cli/view/explanation.ts'
import { identify, isCalm, startWatching, until } from './place.ts'
import { type Sentence, blue, two } from './sentence.ts'

/** From one revision to another and back. */
export const revisionSentences: readonly Sentence[] = [
  {
    name: 'another environment is the next revision, replaces every replica, and never leaves fewer than before',
    hold: async (place, service) => {
      await place.apply(service, two)
      const before = await until(place, service, isCalm)
      const watched = startWatching(place, service)
      await place.apply(service, blue)
      const after = await until(place, service, isCalm)
      const seen = await watched.stop()
      assert.deepEqual([after.revision, after.replicas], [2, { desired: 2, ready: 2 }])
      assert.deepEqual(
        identify(after).filter((each) => identify(before).includes(each)),
        [],
      )
      assert.deepEqual(await place.readColours(service), ['blue', 'blue'])
      assert.ok(seen.some(({ rollout }) => rollout?.from === 1 && rollout.to === 2))
      assert.deepEqual(
        seen.filter(({ replicas }) => replicas.ready < 2).map(({ summary }) => summary),
        [],
      )
    },
  },
  {
    name: 'history lists the revisions with their roles, and the rollout that led from one to the other',
    hold: async (place, service) => {
      await place.apply(service, two)
      await place.apply(service, blue)
      const { revisions, rollouts } = await place.control.history(service)
      assert.deepEqual(
        revisions.map(({ number, role, proven, replicas }) => [number, role, proven, replicas]),
        [
          [1, 'Earlier', true, 0],
          [2, 'Stable', true, 2],
        ],
      )
      assert.deepEqual(
        rollouts.map(({ kind, from, to, outcome, cause }) => [kind, from, to, outcome, cause]),
        [['Rolling', 1, 2, 'Promoted', null]],
      )
    },
  },
  {
    name: 'a rollback brings the earlier revision back, said twice it does it once, and the newer spec can come again',
    hold: async (place, service) => {
      const back = place.ways.rollback === 'OldNumber' ? 1 : 3
      await place.apply(service, two)
      await place.apply(service, blue)
      const order = { verb: 'Rollback', from: 2, to: null } as const
      assert.equal((await place.control.order(service, order)).nothing, null)
      const done = await until(place, service, isCalm)
      assert.deepEqual([done.revision, done.replicas.ready], [back, 2])
      assert.deepEqual(await place.readColours(service), ['red', 'red'])
      assert.match((await place.control.order(service, order)).nothing ?? '', /serves already/)
      if (place.ways.rejectedAgain === 'Tried') await place.apply(service, blue)
      else {
        await assert.rejects(place.apply(service, blue), { code: 'TL_ROLLOUT_REJECTED', hint: /towline retry/ })
        await place.control.order(service, { verb: 'Retry' })
      }
      const again = await until(place, service, (status) => isCalm(status) && status.rejected === null)
      assert.ok(again.revision > 2, `revision ${again.revision}`)
      assert.deepEqual(await place.readColours(service), ['blue', 'blue'])
    },
  },
  {
    name: 'what cannot be gone back to is refused, and the message names what is kept',
    hold: async (place, service) => {
      await place.apply(service, two)
      const order = { verb: 'Rollback', from: null } as const
      await assert.rejects(place.control.order(service, { ...order, to: null }), { code: 'TL_ROLLOUT_REFUSED' })
      await assert.rejects(place.control.order(service, { ...order, to: 9 }), {
        code: 'TL_ROLLOUT_REFUSED',
        message: /9/,
        hint: /\S/,
      })
      const abort = await place.control.order(service, { verb: 'Abort', plan: null })
      assert.match(abort.nothing ?? '', /^no rollout is going on/)
      assert.equal((await until(place, service, isCalm)).revision, 1)
    },
  },
  {
    name: 'a restart replaces each replica by one of the same spec, and never leaves fewer than before',
    hold: async (place, service) => {
      await place.apply(service, two)
      const before = await until(place, service, isCalm)
      const watched = startWatching(place, service)
      assert.equal((await place.control.order(service, { verb: 'Restart' })).nothing, null)
      const after = await until(place, service, isCalm)
      const seen = await watched.stop()
      assert.deepEqual(
        identify(after).filter((each) => identify(before).includes(each)),
        [],
      )
      assert.deepEqual(await place.readColours(service), ['red', 'red'])
      assert.deepEqual(
        seen.filter(({ replicas }) => replicas.ready < 2).map(({ summary }) => summary),
        [],
      )
      await place.apply(service, two)
      assert.deepEqual(identify(await until(place, service, isCalm)), identify(after))
    },
  },
  {
    name: 'a revision that breaks is given up, the one before it serves on, and the reason is told',
    hold: async (place, service) => {
      await place.apply(service, two)
      const broken = { ...blue, isBroken: true }
      const watched = startWatching(place, service)
      await place.apply(service, broken)
      const seen = await watched.stop()
      assert.deepEqual(
        seen.filter(({ replicas }) => replicas.ready < 2).map(({ summary }) => summary),
        [],
      )
      const status = await until(place, service, isCalm)
      assert.deepEqual([status.replicas, await place.readColours(service)], [{ desired: 2, ready: 2 }, ['red', 'red']])
      assert.deepEqual([status.phase, status.rejected?.revision], [place.ways.givenUp, 2])
      const message = status.rejected?.message ?? ''
      assert.ok(message.length > 20, message)
      const told = explainService(status, [], Date.now()).join(' ')
      assert.match(told, /Revision 2 was rejected .* ago/)
      assert.ok(told.includes(message), told)
      assert.equal(
        (await place.control.history(service)).revisions.find(({ number }) => number === 2)?.role,
        'Rejected',
      )
      if (place.ways.rejectedAgain === 'Refused')
        await assert.rejects(place.apply(service, broken), { code: 'TL_ROLLOUT_REJECTED', hint: /towline retry/ })
      await place.apply(service, blue)
      const mended = await until(place, service, isCalm)
      assert.deepEqual([mended.rejected, await place.readColours(service)], [null, ['blue', 'blue']])
    },
  },
  {
    name: 'steps of a rollout are taken where there are any, else refused by name',
    hold: async (place, service) => {
      await place.apply(service, two)
      for (const verb of ['Pause', 'Resume'] as const)
        await assert.rejects(place.control.order(service, { verb, plan: null }), {
          code: 'TL_ROLLOUT_REFUSED',
          message: place.ways.steps === 'Taken' ? /no rollout is going on/ : /is a Deployment/,
          hint: /towline/,
        })
      await assert.rejects(place.control.order(service, { verb: 'Retry' }), { code: 'TL_ROLLOUT_REFUSED', hint: /\S/ })
    },
  },
]
