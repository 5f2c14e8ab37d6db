import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEngine } from '../../src/control/client.ts'
import { startOpenLoad } from '../kit/open-load.ts'
import { isReady, openProject, requestBody, serviceName, waitFor } from './project.ts'

const ratePerSecond = 80

test('scaled up, scaled down and restarted under load, a service loses no request', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document({ replicas: 1 }))
  const before = await waitFor(client, isReady)
  const load = startOpenLoad(t, `${url}/v2/models/${serviceName}/infer`, requestBody, { ratePerSecond })

  await client.scale(serviceName, 3)
  await waitFor(client, (service) => isReady(service) && service.instances.length === 3)
  await client.scale(serviceName, 1)
  await waitFor(client, (service) => isReady(service) && service.instances.length === 1)
  await client.scale(serviceName, 2)
  await waitFor(client, (service) => isReady(service) && service.instances.length === 2)
  await client.restart(serviceName)
  const after = await waitFor(
    client,
    (service) => isReady(service) && service.revision === 2 && service.instances.length === 2,
  )
  assert.deepEqual(
    after.instances.map(({ revision }) => revision),
    [2, 2],
  )
  assert.ok(after.instances.every(({ name }) => before.instances.every((old) => old.name !== name)))
  const results = await load.stop()
  assert.deepEqual(Object.keys(results), ['ok'])
  assert.ok((results['ok'] ?? 0) > 120)
})
