import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ProxyHandler } from '../../../test/kit/fake-api-server/http/relays.ts'
import { openFakeCluster } from '../../../test/kit/fake-cluster.ts'
import { systemClock } from '../../base/clock.ts'
import { resources } from '../../kube/resources.ts'
import type { ServiceStatus } from '../api.ts'
import { createClusterControl } from './cluster-control.ts'

const quick = { ...systemClock, sleep: async (_: number, signal?: AbortSignal) => await systemClock.sleep(5, signal) }

async function begin(t: TestContext, proxy?: ProxyHandler) {
  const cluster = await openFakeCluster(t, proxy === undefined ? {} : { proxy })
  return { ...cluster, control: createClusterControl(cluster.client, quick) }
}

const photo = { bytes: Buffer.from([0xff, 0xd8]), type: 'image/jpeg' }

test('a model is asked through the API server, with its name, and without a key that would take the place of the login', async (t) => {
  const asked: unknown[] = []
  const { control, deploy } = await begin(t, ({ kind, name, port, path, method, headers, body }) => {
    asked.push([kind, name, port, method, path, headers['content-type'], headers['authorization'], body.length])
    return { status: 422, body: '{"error":"no photo"}' }
  })
  await deploy()
  const query = { topK: 3, headers: { authorization: 'Bearer key' }, timeoutMs: 1000 }
  const { status, body } = await control.infer('cats', photo, query)
  assert.deepEqual([status, body], [422, { error: 'no photo' }])
  assert.deepEqual(asked, [
    ['services', 'cats', 'http', 'POST', '/v2/models/cats/infer?top_k=3', 'image/jpeg', undefined, 2],
  ])
})

test('what the API server itself answers is no answer of the model', async (t) => {
  const { control, deploy, server } = await begin(t)
  await deploy()
  await assert.rejects(control.infer('cats', photo, { timeoutMs: 1000 }), { code: 'TL_SERVICE_FAILED' })
  server.forbid(({ subresource }) => subresource === 'proxy')
  await assert.rejects(control.infer('cats', photo, { timeoutMs: 1000 }), {
    code: 'TL_CLUSTER_FORBIDDEN',
    hint: /services\/proxy/,
  })
  await assert.rejects(control.infer('dogs', photo, { timeoutMs: 1000 }), {
    code: 'TL_SERVICE_UNKNOWN',
    message: /cats/,
  })
})

test('a watch tells each change once, waits out an API server that is away, and ends with the service', async (t) => {
  const { control, deploy, server } = await begin(t)
  await deploy({ replicas: 1 })
  const seen: ServiceStatus[] = []
  for await (const status of control.watch('cats')) {
    seen.push(status)
    if (seen.length === 1) {
      server.faults.add({ when: { plural: 'pods' }, times: 5, does: { kind: 'Reset' } })
      await deploy({ replicas: 2 })
    } else if (status.replicas.ready === 2) await control.remove('cats')
  }
  assert.deepEqual([seen[0]?.replicas.ready, seen.at(-1)?.phase], [1, 'Stopping'])
  assert.equal(new Set(seen.map((status) => JSON.stringify(status))).size, seen.length)
})

test('a watch of what is not there is refused', async (t) => {
  const { control } = await begin(t)
  await assert.rejects(async () => await control.watch('cats').next(), { code: 'TL_SERVICE_UNKNOWN' })
})

test('whoever may not see the pods takes nothing down, and a kind that may not be seen is named at the end', async (t) => {
  const { control, deploy, server } = await begin(t)
  await deploy()
  const allow = server.forbid(({ plural, verb }) => plural === 'pods' && verb === 'list')
  await assert.rejects(control.remove('cats'), { code: 'TL_CLUSTER_FORBIDDEN', hint: /^nothing was taken away/ })
  assert.equal(server.objects.list(resources.deployments).length, 1)
  allow()
  server.forbid(({ plural, verb }) => plural === 'configmaps' && verb === 'list')
  await assert.rejects(control.remove('cats'), {
    code: 'TL_CLUSTER_FORBIDDEN',
    hint: /^everything else of cats is gone/,
  })
  assert.equal(server.objects.list(resources.deployments).length, 0)
})
