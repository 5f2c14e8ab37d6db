import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ServiceStatus } from '../../src/control/api.ts'
import { startEngine } from '../../src/control/client.ts'
import { startOpenLoad } from '../kit/open-load.ts'
import { isReady, openProject, requestBody, serviceName, waitFor, waitUntil } from './project.ts'

const inferPath = `/v2/models/${serviceName}/infer`
const quickDown = { scaleDown: { stabilizationWindowSeconds: 2 } }

test('an autoscaled service grows under load and shrinks after it, and no request is lost in either', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir, { scaleSyncMs: 500 })
  project.engines.add((await client.status()).pid)
  const autoscaling = { minReplicas: 1, maxReplicas: 3, targets: { requestsPerSecond: 20 }, behavior: quickDown }
  const { url } = await client.apply(serviceName, project.document({ autoscaling }))
  await waitFor(client, isReady)

  const high = startOpenLoad(t, `${url}${inferPath}`, requestBody, { ratePerSecond: 55 })
  const low = startOpenLoad(t, `${url}${inferPath}`, requestBody, { ratePerSecond: 2 })
  const grown = await waitFor(client, (service) => isReady(service) && service.replicas.ready === 3)
  assert.match(grown.scale?.reason ?? '', /^requestsPerSecond above target$/)
  assert.equal(grown.scale?.conditions.find(({ type }) => type === 'ScalingActive')?.reason, 'ValidMetricFound')
  const answered = high.answered
  await waitUntil('answers of all three', () => high.answered > answered + 50)
  assert.deepEqual(Object.keys(await high.stop()), ['ok'])

  const shrunk = await waitFor(client, ({ replicas, instances }) => replicas.desired === 1 && instances.length === 1)
  assert.equal(shrunk.scale?.reason, 'All metrics below target')
  assert.deepEqual(Object.keys(await low.stop()), ['ok'])
})

test('a service at zero holds the first requests, starts a replica and answers all of them', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir, { scaleSyncMs: 500 })
  project.engines.add((await client.status()).pid)
  const autoscaling = { minReplicas: 0, maxReplicas: 2, targets: { concurrency: 4 }, behavior: quickDown }
  const { url } = await client.apply(serviceName, project.document({ autoscaling }))
  const atZero = ({ phase, instances }: ServiceStatus) => phase === 'Idle' && instances.length === 0
  const idle = await waitFor(client, atZero)
  assert.deepEqual(idle.replicas, { desired: 0, ready: 0 })

  const load = startOpenLoad(t, `${url}${inferPath}`, requestBody, { ratePerSecond: 10 })
  await waitUntil('the held ones are answered', () => load.answered > 20)
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
  await waitFor(client, atZero)
})

test('burst mode answers a spike at once, before the usual look', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir, { scaleSyncMs: 60_000 })
  project.engines.add((await client.status()).pid)
  const autoscaling = { minReplicas: 1, maxReplicas: 3, targets: { concurrency: 1 }, burst: { window: '2s' } }
  const uri = join(import.meta.dirname, '../models/slow.onnx')
  const { url } = await client.apply(serviceName, project.document({ autoscaling, uri }))
  // After its first usual look it is a minute to the next one.
  await waitFor(client, (service) => isReady(service) && (service.scale?.metrics.length ?? 0) > 0)
  const rows = 100
  const data = Array.from({ length: rows * 64 }, () => 1)
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 64], data }] }
  const load = startOpenLoad(t, `${url}${inferPath}`, body, { ratePerSecond: 70 })
  const grown = await waitFor(client, ({ replicas }) => replicas.desired === 3)
  assert.deepEqual([grown.scale?.burst, grown.scale?.reason], [true, 'concurrency far above target (burst)'])
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})
