import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEngine } from '../../src/control/client.ts'
import { isReady, kill, openProject, requestBody, serviceName, startLoad, waitFor, waitUntil } from './project.ts'

test('a replica killed under load: answers keep coming, it is back, and the status says why', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document())
  const before = await waitFor(client, isReady)
  const load = startLoad(t, url, requestBody)
  await waitUntil('some answers', () => load.answered > 50)

  const [victim] = before.instances
  assert.ok(victim)
  kill(victim.pid)
  const after = await waitFor(
    client,
    (service) =>
      isReady(service) && service.instances.some(({ name, restarts }) => name === victim.name && restarts === 1),
  )
  const answered = load.answered
  await waitUntil('more answers', () => load.answered > answered + 50)

  // The gateway sends again what a dying replica had not begun to answer.
  const results = await load.stop()
  assert.deepEqual(Object.keys(results), ['ok'])
  const back = after.instances.find(({ name }) => name === victim.name)
  assert.notEqual(back?.pid, victim.pid)
  assert.equal(back?.lastFailure?.reason, 'Killed')
  assert.match(
    back?.lastFailure?.message ?? '',
    /^killed by signal 9 \(SIGKILL\), for instance by the kernel when memory ran out/,
  )
  assert.deepEqual(after.lastFailure, back?.lastFailure)
})

test('a replica that hangs is found by its liveness probe and replaced, while the other one serves', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  await client.apply(serviceName, project.document())
  const [victim] = (await waitFor(client, isReady)).instances
  assert.ok(victim)
  kill(victim.pid, 'SIGSTOP')
  const after = await waitFor(
    client,
    (service) =>
      isReady(service) && service.instances.some(({ name, restarts }) => name === victim.name && restarts === 1),
    30_000,
  )
  assert.equal(after.instances.find(({ name }) => name === victim.name)?.lastFailure?.reason, 'LivenessFailed')
})

test('a change of the spec replaces the replicas one by one without an error; one that cannot work is given up', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document())
  const first = await waitFor(client, isReady)
  const load = startLoad(t, url, requestBody)
  await waitUntil('some answers', () => load.answered > 20)

  await client.apply(serviceName, project.document({ timeout: '9s' }))
  // The step that makes revision 2 the stable one comes before the step that drains the last of the old.
  const second = await waitFor(
    client,
    (service) =>
      service.revision === 2 &&
      isReady(service) &&
      service.instances.every(({ phase, revision }) => revision === 2 || phase === 'Draining'),
  )
  assert.equal(second.url, url)
  assert.ok(
    second.instances.every(
      ({ name, phase }) => phase === 'Draining' || !first.instances.some((old) => old.name === name),
    ),
  )

  const broken = project.document({ uri: new URL('../models/broken-unknown-op.onnx', import.meta.url).pathname })
  await client.apply(serviceName, broken)
  const third = await waitFor(client, ({ phase, rollout }) => phase === 'Degraded' && rollout === null)
  assert.match(third.summary, /^revision 3 was rejected, revision 2 serves: revision 3 never became ready: /)
  assert.match(third.rejected?.message ?? '', /test\/models\/broken-unknown-op\.onnx/, 'the file as it was written')
  assert.equal(third.revision, 2)
  assert.equal(third.replicas.ready, 2)
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

test('a replica over its memory limit is restarted, and the status says what limit would do', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  await client.apply(serviceName, project.document({ replicas: 1, memory: '32Mi' }))
  const { lastFailure } = await waitFor(client, (service) => service.lastFailure !== null)
  assert.equal(lastFailure?.reason, 'OutOfMemory')
  assert.match(lastFailure.message, /more than its limit of 33\.6 MB/)
  assert.match(lastFailure.hint ?? '', /^resources\.memory: \d+Mi/)
})
