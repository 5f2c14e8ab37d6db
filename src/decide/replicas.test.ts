import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ReplicaAction, type ReplicaObservation, decideReplicas, isServing } from './replicas.ts'

const drainMs = 3
const startMs = 4

type Simulated = { -readonly [key in keyof ReplicaObservation]: ReplicaObservation[key] } & { willServe: boolean }

/** Hands without a machine: each look is one step of time; a started process is ready `startMs` later if it ever is. */
function createWorld() {
  const replicas: Simulated[] = []
  const world = {
    nowMs: 0,
    desired: 0,
    revision: 1,
    replicas,
    rejected: [] as number[],
    brokenRevisions: new Set<number>(),
  }
  let started = 0

  const find = (name: string): Simulated => {
    const replica = replicas.find((replica) => replica.name === name)
    assert.ok(replica, `an action names ${name}, which does not exist`)
    return replica
  }
  const begin = (replica: Simulated): void => {
    replica.phase = 'Starting'
    replica.startedAtMs = world.nowMs
    replica.willServe = !world.brokenRevisions.has(replica.revision)
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
        revision: world.revision,
        phase: 'Starting',
        inRoute: false,
        ending: null,
        startedAtMs: 0,
        dueAtMs: 0,
        proven: false,
        failures: 0,
        hopeless: false,
        willServe: true,
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
      case 'Reject':
        world.rejected.push(action.revision)
        world.revision = action.revision - 1
        break
    }
  }

  return Object.assign(world, {
    serving: () => replicas.filter(isServing).length,
    crash: (replica: Simulated) => {
      if (replica.phase !== 'Waiting') end(replica)
    },
    /** True when there was nothing to do. */
    look: (): boolean => {
      world.nowMs++
      for (const replica of replicas) {
        const ageMs = world.nowMs - replica.startedAtMs
        if (replica.phase === 'Starting' && ageMs >= startMs) {
          if (replica.willServe) Object.assign(replica, { phase: 'Ready', proven: true, failures: 0 })
          else {
            replica.failures++
            end(replica)
          }
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

test('a rolling change of healthy replicas never serves with fewer than wanted, and has at most one more', () => {
  fc.assert(
    fc.property(count, fc.integer({ min: 1, max: 3 }), (desired, changes) => {
      const world = createWorld()
      world.desired = desired
      settle(world)
      for (let change = 0; change < changes; change++) {
        world.revision++
        settle(world, () => {
          assert.ok(world.serving() >= desired, `${world.serving()} of ${desired} serve`)
          assert.ok(world.replicas.filter(({ ending }) => ending !== 'Retire').length <= desired + 1)
        })
      }
      assert.ok(world.replicas.every(({ revision }) => revision === world.revision))
      assert.equal(world.replicas.length, desired)
    }),
  )
})

const event = fc.oneof(
  fc.record({ kind: fc.constant('looks' as const), looks: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant('scale' as const), desired: count }),
  fc.record({ kind: fc.constant('change' as const) }),
  fc.record({ kind: fc.constant('crash' as const), which: fc.nat(5) }),
  fc.record({ kind: fc.constant('unready' as const), which: fc.nat(5) }),
  fc.record({ kind: fc.constant('recycle' as const), which: fc.nat(5) }),
)

test('whatever happens on the way, it comes to rest with the wanted number of the wanted revision', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const world = createWorld()
      world.desired = 2
      for (const event of events) {
        const replica = 'which' in event ? world.replicas[event.which] : undefined
        if (event.kind === 'looks') for (let look = 0; look < event.looks; look++) world.look()
        else if (event.kind === 'scale') world.desired = event.desired
        else if (event.kind === 'change') world.revision++
        else if (replica === undefined) continue
        else if (event.kind === 'crash') world.crash(replica)
        else if (event.kind === 'recycle' && replica.phase === 'Ready') replica.ending ??= 'Restart'
        else if (event.kind === 'unready' && replica.phase === 'Ready') {
          Object.assign(replica, { phase: 'Starting', startedAtMs: world.nowMs })
        }
      }
      settle(world)
      assert.equal(world.serving(), world.desired)
      assert.ok(world.replicas.every(({ revision }) => revision === world.revision))
    }),
  )
})

test('a decision alone never takes the last serving replica out of service', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const world = createWorld()
      world.desired = 1
      for (const event of events) {
        if (event.kind === 'scale') world.desired = event.desired
        if (event.kind === 'change') world.revision++
        const replica = 'which' in event ? world.replicas[event.which] : undefined
        if (event.kind === 'crash' && replica !== undefined) world.crash(replica)
        const before = world.serving()
        world.look()
        if (before > 0) assert.ok(world.serving() > 0, 'it served before the decision and not after it')
      }
    }),
  )
})

test('a revision that never becomes ready is given up while all old replicas go on serving', () => {
  fc.assert(
    fc.property(count, (desired) => {
      const world = createWorld()
      world.desired = desired
      settle(world)
      world.revision = 2
      world.brokenRevisions.add(2)
      settle(world, () => assert.ok(world.serving() >= desired))
      assert.deepEqual(world.rejected, [2])
      assert.ok(world.replicas.every(({ revision }) => revision === 1))
    }),
  )
})

test('a hopeless revision is given up at its first failure; without an older one serving it is kept and tried again', () => {
  const replica: ReplicaObservation = {
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
  const old = {
    ...replica,
    name: 'old',
    revision: 1,
    phase: 'Ready',
    inRoute: true,
    proven: true,
    failures: 0,
    hopeless: false,
  } as const
  assert.deepEqual(decideReplicas({ nowMs: 1, desired: 1, revision: 2, replicas: [old, replica] }), [
    { kind: 'Reject', revision: 2, replica: 'new' },
  ])
  assert.deepEqual(decideReplicas({ nowMs: 1, desired: 1, revision: 2, replicas: [replica] }), [])
  assert.deepEqual(decideReplicas({ nowMs: 100, desired: 1, revision: 2, replicas: [replica] }), [
    { kind: 'Restart', replica: 'new' },
  ])
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
    decideReplicas({ nowMs: 9, desired, revision: 1, replicas }).map((action) => 'replica' in action && action.replica)
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
  assert.deepEqual(decideReplicas({ nowMs: 49, desired: 0, revision: 1, replicas: [replica] }), [])
  assert.deepEqual(decideReplicas({ nowMs: 50, desired: 0, revision: 1, replicas: [replica] }), [
    { kind: 'Kill', replica: 'a' },
  ])
})
