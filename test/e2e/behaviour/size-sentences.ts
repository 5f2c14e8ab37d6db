import assert from 'node:assert/strict'
import { identify, isCalm, startWatching, until } from './place.ts'
import { type Sentence, blue, stays, two } from './sentence.ts'

/** How many there are, and who says so. */
export const sizeSentences: readonly Sentence[] = [
  {
    name: 'a service that is ready says so, with its replicas',
    hold: async (place, service) => {
      await place.apply(service, two)
      const status = await until(place, service, isCalm)
      assert.deepEqual([status.phase, status.revision, status.replicas], ['Ready', 1, { desired: 2, ready: 2 }])
      assert.deepEqual(
        status.instances.map(({ phase, revision, restarts, lastFailure }) => [phase, revision, restarts, lastFailure]),
        Array.from({ length: 2 }, () => ['Ready', 1, 0, null]),
      )
      assert.deepEqual([status.rejected, status.lastFailure, status.paused], [null, null, false])
      assert.deepEqual(
        status.revisions.map(({ number, role, proven }) => [number, role, proven]),
        [[1, 'Stable', true]],
      )
      assert.match(status.summary, /2/)
      const listed = (await place.control.services()).map(({ name }) => name)
      assert.deepEqual(listed.toSorted(), [service, stays].toSorted())
    },
  },
  {
    name: 'the same spec once more replaces nothing',
    hold: async (place, service) => {
      await place.apply(service, two)
      const before = await until(place, service, isCalm)
      await place.apply(service, two)
      const after = await until(place, service, isCalm)
      assert.deepEqual([identify(after), after.revision], [identify(before), 1])
      assert.deepEqual(await place.readColours(service), ['red', 'red'])
    },
  },
  {
    name: 'a number that a person set stays until the spec has another one',
    hold: async (place, service) => {
      await place.apply(service, two)
      await place.control.scale(service, 3)
      await until(place, service, (status) => isCalm(status) && status.replicas.ready === 3)
      await place.apply(service, two)
      assert.equal((await until(place, service, isCalm)).replicas.desired, 3)
      await place.apply(service, blue)
      const blueOnes = await until(place, service, isCalm)
      assert.deepEqual([blueOnes.replicas.desired, blueOnes.revision], [3, 2])
      await place.apply(service, { ...blue, replicas: 1 })
      const one = await until(place, service, isCalm)
      assert.deepEqual([one.replicas, one.revision], [{ desired: 1, ready: 1 }, 2])
    },
  },
  {
    name: 'at zero replicas it is idle, and comes back from there',
    hold: async (place, service) => {
      await place.apply(service, two)
      await place.control.scale(service, 0)
      const idle = await until(place, service, isCalm)
      assert.deepEqual([idle.phase, idle.instances, idle.replicas], ['Idle', [], { desired: 0, ready: 0 }])
      await place.control.scale(service, 1)
      const back = await until(place, service, isCalm)
      assert.deepEqual([back.phase, back.instances.length, back.revision], ['Ready', 1, 1])
    },
  },
  {
    name: 'an autoscaler keeps a person within its bounds',
    hold: async (place, service) => {
      await place.apply(service, { autoscaling: { minReplicas: 1, maxReplicas: 2, targets: { cpuPercent: 70 } } })
      await assert.rejects(place.control.scale(service, 5), {
        code: 'TL_REQUEST_INVALID',
        message: new RegExp(`autoscaling keeps ${service} between 1 and 2, not 5`),
        hint: /spec/,
      })
      const { scale } = await until(place, service, isCalm)
      assert.deepEqual([scale?.minReplicas, scale?.maxReplicas], [1, 2])
    },
  },
  {
    name: 'down leaves nothing of it, and everything of the others',
    hold: async (place, service) => {
      await place.apply(service, two)
      await place.apply(service, blue)
      const last = await until(place, service, isCalm)
      assert.notDeepEqual(await place.listRest(last), [])
      const others = identify(await until(place, stays, isCalm))
      const watched = startWatching(place, service)
      await place.control.remove(service)
      assert.deepEqual(await place.listRest(last), [])
      await watched.stop()
      await assert.rejects(place.control.remove(service), { code: 'TL_SERVICE_UNKNOWN' })
      assert.deepEqual(
        (await place.control.services()).map(({ name }) => name),
        [stays],
      )
      assert.deepEqual(identify(await until(place, stays, isCalm)), others)
    },
  },
]
