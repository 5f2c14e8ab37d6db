import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type ReplicaAction,
  type ReplicaObservation,
  type WantedRevision,
  decideReplicas,
  isGivenUp,
  isServing,
  isUsable,
} from './replicas.ts'

const drainMs = 3
const startMs = 4

type Simulated = { -readonly [key in keyof ReplicaObservation]: ReplicaObservation[key] }

/** Hands without a machine: each look is one step of time; a started process is ready `startMs` later if it ever is. */
function createWorld() {
  const replicas: Simulated[] = []
  const world = { nowMs: 0, wanted: [] as WantedRevision[], replicas }
  let started = 0

  const find = (name: string): Simulated => {
    const replica = replicas.find((replica) => replica.name === name)
    assert.ok(replica, `an action names ${name}, which does not exist`)
    return replica
  }
  const begin = (replica: Simulated): void => {
    replica.phase = 'Starting'
    replica.startedAtMs = world.nowMs
  }
  const end = (replica: Simulated): void => {
    replica.phase = 'Waiting'
    replica.dueAtMs = world.nowMs + 1
    if (replica.ending === 'Restart') replica.ending = null
  }

  const act = (action: ReplicaAction): void => {
    if (action.kind === 'Start') {
      const replica: Simulated = {
        name: `r${started++}`,
        revision: action.revision,
        phase: 'Starting',
        inRoute: false,
        ending: null,
        startedAtMs: 0,
        dueAtMs: 0,
        proven: false,
        failures: 0,
        hopeless: false,
      }
      begin(replica)
      replicas.push(replica)
      return
    }
    const replica = find(action.replica)
    switch (action.kind) {
      case 'AddEndpoint':
        assert.equal(replica.phase, 'Ready', 'weight only for what is ready')
        replica.inRoute = true
        break
      case 'RemoveEndpoint':
        replica.inRoute = false
        break
      case 'Retire':
        replica.ending = 'Retire'
        break
      case 'Drain':
        assert.equal(replica.inRoute, false, 'nothing is stopped while the gateway may send it requests')
        replica.phase = 'Draining'
        replica.dueAtMs = world.nowMs + drainMs + 2
        break
      case 'Kill':
        end(replica)
        break
      case 'Restart':
        begin(replica)
        break
      case 'Forget':
        replicas.splice(replicas.indexOf(replica), 1)
        break
    }
  }

  return Object.assign(world, {
    want: (...sizes: readonly [revision: number, count: number, routed?: boolean][]) => {
      world.wanted = sizes.map(([revision, count, routed = true]) => ({ revision, replicas: count, routed }))
    },
    of: (revision: number) => replicas.filter((replica) => replica.revision === revision),
    serving: (revision?: number) =>
      replicas.filter((replica) => isServing(replica) && (revision === undefined || replica.revision === revision))
        .length,
    crash: (replica: Simulated) => {
      if (replica.phase !== 'Waiting') end(replica)
    },
    /** True when there was nothing to do. */
    look: (): boolean => {
      world.nowMs++
      for (const replica of replicas) {
        const ageMs = world.nowMs - replica.startedAtMs
        if (replica.phase === 'Starting' && ageMs >= startMs) {
          Object.assign(replica, { phase: 'Ready', proven: true, failures: 0 })
        } else if (replica.phase === 'Draining' && replica.dueAtMs - world.nowMs <= 2) end(replica)
      }
      const actions = decideReplicas(world)
      for (const action of actions) act(action)
      return actions.length === 0 && replicas.every(({ phase }) => phase === 'Ready')
    },
  })
}

function settle(world: ReturnType<typeof createWorld>, each = (): void => undefined): void {
  for (let looks = 0; looks < 400; looks++) {
    if (world.look()) return
    each()
  }
  assert.fail(`no rest after 400 looks: ${JSON.stringify(world.replicas)}`)
}

const count = fc.integer({ min: 1, max: 5 })

const event = fc.oneof(
  fc.record({ kind: fc.constant('looks' as const), looks: fc.integer({ min: 1, max: 8 }) }),
  fc.record({
    kind: fc.constant('want' as const),
    sizes: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), count, fc.boolean()), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('crash' as const), which: fc.nat(5) }),
  fc.record({ kind: fc.constant('unready' as const), which: fc.nat(5) }),
  fc.record({ kind: fc.constant('recycle' as const), which: fc.nat(5) }),
)

test('whatever happens on the way, each revision comes to rest with as many as it should have, in the route or out of it', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const world = createWorld()
      for (const event of events) {
        const replica = 'which' in event ? world.replicas[event.which] : undefined
        if (event.kind === 'looks') for (let look = 0; look < event.looks; look++) world.look()
        else if (event.kind === 'want') world.want(...new Map(event.sizes.map((size) => [size[0], size])).values())
        else if (replica === undefined) continue
        else if (event.kind === 'crash') world.crash(replica)
        else if (event.kind === 'recycle' && replica.phase === 'Ready') replica.ending ??= 'Restart'
        else if (event.kind === 'unready' && replica.phase === 'Ready') {
          Object.assign(replica, { phase: 'Starting', startedAtMs: world.nowMs })
        }
      }
      settle(world)
      for (const { revision, replicas, routed } of world.wanted) {
        assert.equal(world.of(revision).length, replicas)
        assert.equal(world.serving(revision), routed ? replicas : 0)
      }
      assert.equal(
        world.replicas.length,
        world.wanted.reduce((sum, { replicas }) => sum + replicas, 0),
      )
    }),
  )
})

test('a smaller size never ends more replicas that serve than it says', () => {
  fc.assert(
    fc.property(count, count, fc.array(fc.nat(4), { maxLength: 3 }), (from, to, crashed) => {
      const world = createWorld()
      world.want([1, from])
      settle(world)
      for (const which of crashed) {
        const replica = world.replicas[which]
        if (replica !== undefined) world.crash(replica)
      }
      const before = world.replicas.filter((replica) => isUsable(replica)).length
      world.want([1, to])
      world.look()
      const left = world.replicas.filter((replica) => isUsable(replica)).length
      assert.ok(left >= Math.min(before, to), `${left} of ${before} are left, ${to} were wanted`)
    }),
  )
})

test('a revision that is not named any more goes, and one that only stands ready gets no requests', () => {
  const world = createWorld()
  world.want([1, 2])
  settle(world)
  world.want([1, 2, false], [2, 2])
  settle(world)
  assert.deepEqual([world.of(1).length, world.serving(1), world.serving(2)], [2, 0, 2])
  world.want([2, 2])
  settle(world)
  assert.equal(world.of(1).length, 0)
})

test('given up is who was never ready and failed hopelessly or three times; who has served once is tried for ever', () => {
  const waiting: ReplicaObservation = {
    name: 'new',
    revision: 2,
    phase: 'Waiting',
    inRoute: false,
    ending: null,
    startedAtMs: 0,
    dueAtMs: 100,
    proven: false,
    failures: 1,
    hopeless: true,
  }
  assert.equal(isGivenUp(waiting), true)
  assert.equal(isGivenUp({ ...waiting, hopeless: false, failures: 2 }), false)
  assert.equal(isGivenUp({ ...waiting, hopeless: false, failures: 3 }), true)
  assert.equal(isGivenUp({ ...waiting, proven: true, failures: 9 }), false)
  const wanted = [{ revision: 2, replicas: 1, routed: true }]
  assert.deepEqual(decideReplicas({ nowMs: 1, wanted, replicas: [waiting] }), [])
  assert.deepEqual(decideReplicas({ nowMs: 100, wanted, replicas: [waiting] }), [{ kind: 'Restart', replica: 'new' }])
})

test('fewer replicas: those that do not serve go first, then the newest', () => {
  const serving = {
    revision: 1,
    phase: 'Ready',
    inRoute: true,
    ending: null,
    dueAtMs: 0,
    proven: true,
    failures: 0,
    hopeless: false,
  } as const
  const replicas: ReplicaObservation[] = [
    { ...serving, name: 'oldest', startedAtMs: 1 },
    { ...serving, name: 'newest', startedAtMs: 3 },
    { ...serving, name: 'middle', startedAtMs: 2 },
    { ...serving, name: 'starting', startedAtMs: 0, phase: 'Starting', inRoute: false },
  ]
  const retired = (desired: number) =>
    decideReplicas({ nowMs: 9, wanted: [{ revision: 1, replicas: desired, routed: true }], replicas }).map(
      (action) => 'replica' in action && action.replica,
    )
  assert.deepEqual(retired(3), ['starting'])
  assert.deepEqual(retired(1), ['starting', 'newest', 'middle'])
  assert.equal(retired(0).length, 4)
})

test('a process that does not drain in time is killed', () => {
  const replica: ReplicaObservation = {
    name: 'a',
    revision: 1,
    phase: 'Draining',
    inRoute: false,
    ending: 'Retire',
    startedAtMs: 0,
    dueAtMs: 50,
    proven: true,
    failures: 0,
    hopeless: false,
  }
  assert.deepEqual(decideReplicas({ nowMs: 49, wanted: [], replicas: [replica] }), [])
  assert.deepEqual(decideReplicas({ nowMs: 50, wanted: [], replicas: [replica] }), [{ kind: 'Kill', replica: 'a' }])
})

test('no process is started only to be told to end', () => {
  const waiting: ReplicaObservation = {
    name: 'a',
    revision: 1,
    phase: 'Waiting',
    inRoute: false,
    ending: null,
    startedAtMs: 0,
    dueAtMs: 5,
    proven: true,
    failures: 1,
    hopeless: false,
  }
  const actionsFor = (replicas: number) =>
    decideReplicas({ nowMs: 9, wanted: [{ revision: 1, replicas, routed: true }], replicas: [waiting] })
  assert.deepEqual(actionsFor(1), [{ kind: 'Restart', replica: 'a' }])
  assert.deepEqual(actionsFor(0), [{ kind: 'Retire', replica: 'a' }])
})

test('of two that can serve, the one that the gateway does not have yet goes first, also when it is older', () => {
  const ready = {
    revision: 1,
    phase: 'Ready',
    ending: null,
    dueAtMs: 0,
    proven: true,
    failures: 0,
    hopeless: false,
  } as const
  const replicas: ReplicaObservation[] = [
    { ...ready, name: 'older', startedAtMs: 1, inRoute: false },
    { ...ready, name: 'newer', startedAtMs: 2, inRoute: true },
  ]
  const actions = decideReplicas({ nowMs: 9, wanted: [{ revision: 1, replicas: 1, routed: true }], replicas })
  assert.deepEqual(
    actions.filter(({ kind }) => kind === 'Retire'),
    [{ kind: 'Retire', replica: 'older' }],
  )
})
