import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Clock } from '../../src/base/clock.ts'
import { TowlineError } from '../../src/base/errors.ts'
import type { Digest } from '../../src/image/oci/descriptor.ts'
import { type PushReport, pushImage } from '../../src/image/registry/push.ts'
import { openRegistry } from '../../src/image/registry/registry.ts'
import { createRandom } from '../kit/random.ts'
import { type Fault, type FaultSource, drawFaults } from '../kit/strict-registry/faults.ts'
import type { RegistryOptions } from '../kit/strict-registry/options.ts'
import { type SampleImage, makeSampleImage } from '../kit/strict-registry/sample-image.ts'
import { type StrictRegistry, startStrictRegistry } from '../kit/strict-registry/strict-registry.ts'

const seed = Number(process.env['TOWLINE_SEED'] ?? Date.now() % 1_000_000)
/** Together 200. */
const pushesEach = 40
/** Then the registry is well, and the push has to succeed. */
const faultyAttempts = 3
const faultsPerThousand = 350
const login = { user: 'ann', password: 's3cret' }

interface Scene {
  readonly options: RegistryOptions
  readonly maxLayerBytes: number
}

const scenes: Record<string, Scene> = {
  'that keeps what came of a cut body': { options: {}, maxLayerBytes: 40_000 },
  'that drops what came of a cut body': {
    options: { cutBodies: 'Dropped', locations: 'Absolute' },
    maxLayerBytes: 40_000,
  },
  'that takes chunks of some length only': {
    options: { chunkMinBytes: 1000, chunkMaxBytes: 5000, maxBodyBytes: 6000 },
    maxLayerBytes: 40_000,
  },
  // No real one refuses bodies as short as 64 KiB, below which the client does not go.
  'behind a proxy that refuses long bodies': {
    options: { maxBodyBytes: 100_000, referrers: 'None' },
    maxLayerBytes: 300_000,
  },
  'with tokens that soon expire': {
    options: { auth: { kind: 'Bearer', tokenSeconds: 5, ...login }, locations: 'Absolute' },
    maxLayerBytes: 40_000,
  },
}

/** Waits take no time and move the clock on by as much as they would. */
function createFastClock(): Clock {
  let nowMs = 1_700_000_000_000
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      nowMs += ms
      await yieldToOthers()
      signal?.throwIfAborted()
    },
  }
}

/** What the registry is to do wrong next, and the push to give up. */
interface Trouble {
  readonly faults: FaultSource
  readonly seen: Map<Fault['kind'], number>
  drawn: FaultSource | undefined
  /** How many requests from now on the push is given up. */
  abort: { requests: number; readonly controller: AbortController } | undefined
}

function createTrouble(): Trouble {
  const trouble: Trouble = {
    seen: new Map(),
    drawn: undefined,
    abort: undefined,
    faults: (request) => {
      if (trouble.abort !== undefined && trouble.abort.requests-- === 0) {
        trouble.abort.controller.abort(new TowlineError('TL_CANCELLED', 'given up by the test'))
      }
      const fault = trouble.drawn?.(request)
      if (fault !== undefined) trouble.seen.set(fault.kind, (trouble.seen.get(fault.kind) ?? 0) + 1)
      return fault
    },
  }
  return trouble
}

interface Push {
  readonly at: StrictRegistry
  readonly image: SampleImage
  readonly repository: string
  readonly clock: Clock
  readonly random: () => number
}

/** The report, or the failure: one that people are told about, and nothing else. */
async function attempt(
  { at, image, repository, clock, random }: Push,
  signal: AbortSignal,
): Promise<PushReport | TowlineError> {
  const registry = openRegistry({
    host: at.host,
    credentials: async () => ({ kind: 'Password', username: login.user, password: login.password }),
    clock,
    signal,
    random,
    env: {},
    limits: { answerTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
  })
  try {
    const target = { registry: at.host, repository, tag: '1' }
    return await pushImage(registry, { root: image.root, blobs: image.reader, target })
  } catch (error) {
    if (error instanceof TowlineError) return error
    throw error
  } finally {
    await registry.close()
  }
}

/** What must hold after each attempt, whatever went wrong in it. */
function checkRegistry(at: StrictRegistry): void {
  assert.deepEqual(at.findBrokenTags(), [])
  assert.deepEqual(at.violations, [])
  assert.deepEqual([...at.receivedAgain], [], 'what the registry held was sent again')
}

/** What an attempt sent of each blob, and of those the registry held when it began: nothing. */
function checkSent(
  { at, image, repository }: Push,
  before: ReadonlyMap<Digest, number>,
  held: ReadonlySet<Digest>,
): void {
  for (const digest of image.blobs.keys()) {
    const sentBytes = (at.received.get(digest) ?? 0) - (before.get(digest) ?? 0)
    if (held.has(digest)) assert.equal(sentBytes, 0, `${digest} of ${repository} was sent again`)
  }
}

async function pushUntilDone(
  push: Push,
  trouble: Trouble,
): Promise<{ readonly attempts: number; readonly givenUp: number }> {
  const { at, image, repository, random } = push
  let givenUp = 0
  for (let attempts = 1; ; attempts++) {
    const isFaulty = attempts <= faultyAttempts
    const controller = new AbortController()
    trouble.drawn = isFaulty ? drawFaults(random, faultsPerThousand) : undefined
    trouble.abort = isFaulty && random() < 0.3 ? { requests: Math.floor(random() * 40), controller } : undefined
    const held = new Set([...image.blobs.keys()].filter((digest) => at.hasBlob(repository, digest)))
    const before = new Map(at.received)
    const result = await attempt(push, controller.signal)
    checkRegistry(at)
    checkSent(push, before, held)
    if (!(result instanceof TowlineError)) {
      assert.equal(at.manifest(repository, '1')?.digest, image.root.digest)
      const present = result.blobs.filter(({ how }) => how === 'Present').map(({ digest }) => digest)
      for (const digest of held) assert.ok(present.includes(digest))
      return { attempts, givenUp }
    }
    if (result.code === 'TL_CANCELLED') givenUp++
    assert.ok(isFaulty, `nothing was wrong in the last attempt, and yet: ${result.message}`)
  }
}

async function start(t: TestContext, options: RegistryOptions): Promise<StrictRegistry> {
  const registry = await startStrictRegistry(options)
  t.after(async () => await registry.close())
  return registry
}

for (const [number, [name, { options, maxLayerBytes }]] of Object.entries(scenes).entries()) {
  test(`${pushesEach} pushes with cut connections, errors and changes of mind, to a registry ${name} (seed ${seed})`, async (t) => {
    const random = createRandom(seed + number)
    const clock = createFastClock()
    const trouble = createTrouble()
    const at = await start(t, { ...options, clock, faults: trouble.faults })
    const total = { attempts: 0, givenUp: 0 }
    for (let index = 0; index < pushesEach; index++) {
      const image = makeSampleImage(random, { layers: 3, maxLayerBytes })
      const push = { at, image, repository: `team/model-${index}`, clock, random }
      const { attempts, givenUp } = await pushUntilDone(push, trouble)
      total.attempts += attempts
      total.givenUp += givenUp
    }
    // Else nothing was tested.
    assert.ok(total.givenUp > 0 && total.attempts > pushesEach + total.givenUp, JSON.stringify(total))
    assert.equal(trouble.seen.size, 5)
    const faults = JSON.stringify(Object.fromEntries(trouble.seen))
    t.diagnostic(`${total.attempts} attempts, ${total.givenUp} given up, faults ${faults}`)
  })
}
