import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EngineClient, startEngine } from '../../src/control/client.ts'
import type { ServiceStatus } from '../../src/control/api.ts'
import { startOpenLoad } from '../kit/open-load.ts'
import { type Project, isReady, kill, openProject, requestBody, serviceName, waitFor } from './project.ts'

/** Evidence as it would be with ten times the traffic, so that a canary takes seconds. */
const evidencePace = { windowMs: 1000, warmUpMs: 300 }
const ratePerSecond = 80
const canary = {
  steps: [{ weight: 10 }, { weight: 50 }],
  bake: '2s',
  analysis: { minRequests: 10, errors: { floorPerThousand: 100 } },
}
const freePort = 18_998
const otherModel = join(import.meta.dirname, '../models/log.onnx')

interface Running {
  readonly project: Project
  readonly client: EngineClient
  readonly url: string
}

async function run(t: TestContext, rollout: unknown): Promise<Running> {
  const project = openProject(t)
  const client = await startEngine(project.dir, { evidencePace })
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document({ rollout }))
  await waitFor(client, isProven)
  return { project, client, url: `${url}/v2/models/${serviceName}/infer` }
}

const isProven = (service: ServiceStatus): boolean =>
  isReady(service) && service.revisions.some(({ role, proven }) => role === 'Stable' && proven)

/** Another spec of the same model: a new revision that behaves like the old one. */
const changed = (project: Project, rollout: unknown) => project.document({ rollout, timeout: '9s' })

const isOver = (service: ServiceStatus): boolean => service.rollout === null && service.phase !== 'Updating'

test('a canary goes step by step to full weight, each weight seen before it counts, and loses no request', async (t) => {
  const { project, client, url } = await run(t, canary)
  const load = startOpenLoad(t, url, requestBody, { ratePerSecond })
  await client.apply(serviceName, changed(project, canary))
  const written = new Set<number>()
  const done = await waitFor(
    client,
    (service) => {
      const { rollout, replicas } = service
      if (rollout !== null) {
        assert.ok(replicas.ready >= 2, `${replicas.ready} stable replicas serve at ${rollout.phase}`)
        written.add(rollout.candidate.weight?.written ?? 0)
      }
      return service.revision === 2 && isOver(service)
    },
    60_000,
  )
  assert.deepEqual([...written], [0, 10, 50, 100])
  const { rollouts } = await client.history(serviceName)
  assert.deepEqual(
    rollouts.map(({ kind, from, to, outcome }) => [kind, from, to, outcome]),
    [['Canary', 1, 2, 'Promoted']],
  )
  assert.deepEqual(
    done.revisions.map(({ number, role, replicas }) => [number, role, replicas]),
    [
      [1, 'Warm', 2],
      [2, 'Stable', 2],
    ],
  )
  const reasons = (await client.events(serviceName, 100)).map(({ reason }) => reason)
  for (const reason of ['RolloutStarted', 'WeightWritten', 'WeightObserved', 'Promoting', 'Promoted'])
    assert.ok(reasons.includes(reason), `${reason} is no event: ${reasons.join(' ')}`)

  // The revision before it stands ready: going back takes no start.
  const warm = done.instances.filter(({ revision }) => revision === 1).map(({ pid }) => pid)
  const back = await client.order(serviceName, { verb: 'Rollback', from: 2, to: null })
  assert.equal(back.nothing, null)
  const again = await waitFor(client, (service) => service.revision === 1 && isOver(service))
  assert.deepEqual(
    again.instances.filter(({ revision }) => revision === 1).map(({ pid }) => pid),
    warm,
  )
  const twice = await client.order(serviceName, { verb: 'Rollback', from: 2, to: null })
  assert.equal(twice.nothing, 'revision 1 serves already')
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

test('a canary whose answers are errors is taken back by itself, and the same spec is not tried again', async (t) => {
  const { project, client, url } = await run(t, canary)
  const load = startOpenLoad(t, url, requestBody, { ratePerSecond })
  const bad = project.document({ rollout: canary, uri: otherModel })
  await client.apply(serviceName, bad)
  const { rejected, revision, replicas } = await waitFor(
    client,
    (service) => service.rejected !== null && isOver(service),
    60_000,
  )
  assert.deepEqual([revision, replicas.ready], [1, 2])
  assert.match(
    rejected?.message ?? '',
    /^errors: \d+ of \d+ \(100 %\) of revision 2, 0 of \d+ \(0 %\) of revision 1; at most 10 % is tolerated$/,
  )
  const { ok = 0, ...refused } = await load.stop()
  // What met the canary was refused by its model; nothing was lost.
  assert.ok(
    Object.keys(refused).every((answer) => answer.startsWith('400 ')),
    JSON.stringify(refused),
  )
  const met = Object.values(refused).reduce((sum, count) => sum + count, 0)
  // The weight of the first step, and two that were under way while it was taken back.
  assert.ok(met <= (ok + met) * 0.1 + 2, `${met} of ${ok + met} requests met it`)
  await assert.rejects(client.apply(serviceName, bad), { code: 'TL_ROLLOUT_REJECTED' })
  await client.order(serviceName, { verb: 'Retry' })
  const retried = await waitFor(client, ({ rollout }) => rollout !== null)
  assert.equal(retried.rollout?.to, 3)
})

test('an abort by hand under load brings back the old revision with all its replicas and loses no request', async (t) => {
  const manual = { ...canary, steps: [{ weight: 50, pause: 'Manual' }] }
  const { project, client, url } = await run(t, manual)
  const load = startOpenLoad(t, url, requestBody, { ratePerSecond })
  await client.apply(serviceName, changed(project, manual))
  const paused = await waitFor(client, ({ rollout }) => rollout?.pause?.reason === 'Manual', 40_000)
  const plan = paused.rollout?.id ?? null
  await assert.rejects(client.order(serviceName, { verb: 'Resume', plan }), { code: 'TL_ROLLOUT_REFUSED' })
  await client.order(serviceName, { verb: 'Abort', plan })
  const done = await waitFor(client, isOver)
  assert.deepEqual([done.phase, done.revision, done.replicas.ready, done.instances.length], ['Ready', 1, 2, 2])
  assert.equal((await client.order(serviceName, { verb: 'Abort', plan })).nothing?.includes('aborted'), true)
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

test('an order that comes while a spec waits for its port is not overtaken: the new model is judged all the same', async (t) => {
  const { project, client } = await run(t, canary)
  const { gateway } = await client.status()
  // The gateway opens ports: while it stands still, the application waits for one.
  kill(gateway.pid, 'SIGSTOP')
  const applied = client.apply(serviceName, {
    ...project.document({ rollout: canary, uri: otherModel }),
    port: freePort,
  })
  await sleep(600)
  await client.order(serviceName, { verb: 'Restart' })
  kill(gateway.pid, 'SIGCONT')
  await applied
  const { rollout } = await waitFor(client, (service) => service.rollout?.kind === 'Canary')
  assert.deepEqual([rollout?.from, rollout?.to], [1, 3])
  const { rollouts } = await client.history(serviceName)
  assert.deepEqual(
    rollouts.map(({ to, outcome, cause }) => [to, outcome, cause?.reason]),
    [[2, 'Aborted', 'Superseded']],
  )
})

test('a model that was edited in place is a new revision, and the old one keeps the old model', async (t) => {
  const { project, client } = await run(t, undefined)
  const folder = join(project.dir, 'model')
  mkdirSync(folder)
  const copy = (name: string): void => cpSync(join(import.meta.dirname, '../models', name), join(folder, 'model.onnx'))
  copy('mlp-dynamic.onnx')
  await client.apply(serviceName, project.document({ uri: folder }))
  const before = await waitFor(client, (service) => service.revision === 2 && isOver(service) && isReady(service))
  copy('broken-unknown-op.onnx')
  await client.apply(serviceName, project.document({ uri: folder }))
  await waitFor(client, (service) => service.rejected !== null && isOver(service))
  // Each new replica of the old revision loads what it was made of.
  await client.scale(serviceName, 3)
  const after = await waitFor(client, ({ replicas }) => replicas.ready === 3)
  assert.equal(after.model.sha256, before.model.sha256)
})
