import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RolloutStatus, ServiceStatus } from '../../src/control/api.ts'
import { type EngineClient, startEngine } from '../../src/control/client.ts'
import { startOpenLoad } from '../kit/open-load.ts'
import { createRandom } from '../kit/random.ts'
import { type Project, isReady, kill, openProject, requestBody, serviceName, waitFor, waitUntil } from './project.ts'

const kills = Number(process.env['TOWLINE_KILLS'] ?? 30)
const seed = Number(process.env['TOWLINE_SEED'] ?? Date.now() % 1_000_000)
const pace = { evidencePace: { windowMs: 500, warmUpMs: 100 } }
/** A tolerance that few windows prove, so that kills meet all phases and not only the watching. */
const rollout = {
  steps: [{ weight: 20 }, { weight: 50 }],
  bake: '1s',
  analysis: { minRequests: 5, errors: { floorPerThousand: 600 } },
}
const broken = join(import.meta.dirname, '../models/broken-unknown-op.onnx')

/** SIGKILL, and another engine as soon as it is gone. */
async function killEngine(project: Project, client: EngineClient): Promise<void> {
  const { pid } = await client.status()
  kill(pid)
  await waitUntil('the engine is gone', async () => await client.status().then(Boolean, () => true))
  await startEngine(project.dir, pace)
  project.engines.add((await client.status()).pid)
}

/** A canary, a rolling change, and one whose candidate never gets ready: whatever is killed, that one gets no request. */
function chooseChange(number: number): Parameters<Project['document']>[0] {
  const timeout = `${1000 + number}ms`
  return [{ rollout, timeout }, { timeout }, { rollout, timeout, uri: broken }][number % 3]
}

function choose<T>(random: () => number, values: readonly [T, ...T[]]): T {
  return values[Math.floor(random() * values.length)] ?? values[0]
}

const isOver = ({ rollout: going, phase }: ServiceStatus): boolean => going === null && phase !== 'Updating'

/** What must hold at every moment, whoever looks. */
function checkService({ rollout: going, instances, replicas }: ServiceStatus): void {
  if (going?.kind !== 'Canary') return
  const weight = going.candidate.weight?.written ?? 0
  const candidates = instances.filter(({ revision, phase }) => revision === going.to && phase === 'Ready')
  assert.ok(weight === 0 || candidates.length > 0, `${weight} % went to revision ${going.to}, which has nothing ready`)
  assert.ok(replicas.ready >= 2, `${replicas.ready} replicas carry the service at ${going.phase}`)
}

test(`an engine that is killed ${kills} times at random moments of rollouts loses no request (seed ${seed})`, async (t) => {
  const random = createRandom(seed)
  const project = openProject(t)
  const client = await startEngine(project.dir, pace)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document({ rollout }))
  await waitFor(client, (service) => isReady(service) && service.revisions.every(({ proven }) => proven))
  const load = startOpenLoad(t, `${url}/v2/models/${serviceName}/infer`, requestBody, { ratePerSecond: 60 })
  const phases = new Map<string, number>()
  let changes = 0
  for (let killed = 0; killed < kills;) {
    const service = await waitFor(client, ({ replicas }) => replicas.ready >= 2)
    checkService(service)
    if (isOver(service)) {
      changes++
      await client.apply(serviceName, project.document(chooseChange(changes)))
    } else {
      const plan = service.rollout?.id ?? null
      const order = choose(random, [
        { verb: 'Abort', plan },
        { verb: 'Promote', plan, step: null, full: true },
      ] as const)
      // Refused where it has just become something else.
      if (random() < 0.3) await client.order(serviceName, order).catch(() => undefined)
    }
    await sleep(random() * 2000)
    const phase = (await client.status()).services[0]?.rollout?.phase ?? 'none'
    phases.set(phase, (phases.get(phase) ?? 0) + 1)
    await killEngine(project, client)
    killed++
  }
  const last = await waitFor(client, isOver, 60_000)
  assert.equal(last.replicas.ready, 2)
  const { rollouts } = await client.history(serviceName)
  const numbers = new Set(last.revisions.filter(({ proven }) => proven).map(({ number }) => number))
  assert.ok(numbers.has(last.revision), 'what serves has served before')
  for (const { outcome, cause } of rollouts)
    assert.ok(
      outcome === 'Promoted' || ['NeverReady', 'ByHand', 'Superseded'].includes(cause?.reason ?? ''),
      cause?.message,
    )
  assert.deepEqual(Object.keys(await load.stop()), ['ok'], `killed at ${JSON.stringify(Object.fromEntries(phases))}`)
  t.diagnostic(`killed at ${JSON.stringify(Object.fromEntries(phases))}; ${changes} rollouts`)
})

const phases: readonly RolloutStatus['phase'][] = [
  'Preparing',
  'Scaling',
  'Shifting',
  'Baking',
  'Promoting',
  'Aborting',
]

test('an engine that is killed in each phase of a rollout goes on or turns back, and loses no request', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir, pace)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document({ rollout }))
  await waitFor(client, (service) => isReady(service) && service.revisions.every(({ proven }) => proven))
  const load = startOpenLoad(t, `${url}/v2/models/${serviceName}/infer`, requestBody, { ratePerSecond: 60 })
  for (const [index, phase] of phases.entries()) {
    const before = await waitFor(client, isOver, 60_000)
    const { revision } = before
    await client.apply(serviceName, project.document({ rollout, timeout: `${2000 + index}ms` }))
    const aborts = phase === 'Aborting'
    if (aborts) {
      await waitFor(client, (service) => service.rollout?.phase === 'Baking', 30_000)
      await client.order(serviceName, { verb: 'Abort', plan: null })
    } else await waitForPhase(client, phase)
    await killEngine(project, client)
    const after = await waitFor(client, (service) => isOver(service), 60_000)
    assert.equal(after.revision > revision, !aborts, `after a kill while ${phase}`)
    assert.equal(after.replicas.ready, 2)
  }
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

/** At the moment it begins, not at the next look: some phases last a tenth of a second. */
async function waitForPhase(client: EngineClient, phase: RolloutStatus['phase']): Promise<void> {
  for await (const service of client.watch(serviceName, AbortSignal.timeout(40_000)))
    if (service.rollout?.phase === phase) return
}
