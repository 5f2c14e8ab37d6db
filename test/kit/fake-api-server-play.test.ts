import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from 'undici'
import { resources } from '../../src/kube/resources.ts'
import { openProbe, valueAt } from './fake-api-server/conformance/probe.ts'
import { container, deployment } from './fake-api-server/conformance/samples.ts'
import { openFakeApiServer } from './fake-api-server/fake-api-server.ts'
import { playDeployments } from './fake-api-server/play-deployments.ts'

const { deployments, pods, replicaSets } = resources

test('a Deployment is played to its end: set, pods, status; a bad revision stalls beside the old pods', async (t) => {
  const server = await openFakeApiServer(t)
  const dispatcher = new Agent()
  t.after(() => dispatcher.destroy())
  const probe = await openProbe({ url: server.url, dispatcher, settleMs: 0, asStranger: async () => {} })
  const { apply, get, remove, namespace } = probe
  const waiting = {
    phase: 'Pending',
    containerStatuses: [{ name: 'a', state: { waiting: { reason: 'ImagePullBackOff' } } }],
  }
  const isBad = (pod: object): boolean => valueAt(pod, 'spec.containers.0.image') === 'bad:1'
  playDeployments(t, server, { fate: (pod) => (isBad(pod) ? waiting : 'Ready') })
  const status = async (): Promise<unknown> => {
    const { body } = await get(deployments, 'd')
    const { replicas, updatedReplicas, readyReplicas, observedGeneration } = body['status'] as Record<string, unknown>
    assert.equal(observedGeneration, valueAt(body, 'metadata.generation'))
    return [replicas, updatedReplicas, readyReplicas, valueAt(body, 'status.conditions.1.reason')]
  }
  await apply(deployments, deployment({ replicas: 2 }), 'one')
  assert.deepEqual(await status(), [2, 2, 2, 'NewReplicaSetAvailable'])
  await apply(deployments, deployment({ replicas: 2 }, [container({ image: 'bad:1' })]), 'one')
  assert.deepEqual(await status(), [4, 2, 2, 'ReplicaSetUpdated'])
  await apply(deployments, deployment({ replicas: 3 }, [container({ image: 'good:1' })]), 'one')
  assert.deepEqual(await status(), [3, 3, 3, 'NewReplicaSetAvailable'])
  assert.equal(server.objects.list(replicaSets, namespace).length, 3)
  const [first] = server.objects.list(pods, namespace)
  await remove(pods, first?.metadata.name ?? '')
  assert.deepEqual(await status(), [3, 3, 3, 'NewReplicaSetAvailable'])
  assert.ok(!server.objects.list(pods, namespace).some(({ metadata }) => metadata.name === first?.metadata.name))
  await remove(deployments, 'd')
  assert.deepEqual([...server.objects.list(replicaSets, namespace), ...server.objects.list(pods, namespace)], [])
})

test('a watcher sees what is played in the order of its versions', async (t) => {
  const server = await openFakeApiServer(t)
  const dispatcher = new Agent()
  t.after(() => dispatcher.destroy())
  const probe = await openProbe({ url: server.url, dispatcher, settleMs: 0, asStranger: async () => {} })
  playDeployments(t, server)
  const watched = await probe.watch(deployments, { resourceVersion: String(server.resourceVersion()) })
  await probe.apply(deployments, deployment({ replicas: 1 }), 'one')
  server.watches.end()
  const versions = (await watched.rest()).map(({ object }) => Number(valueAt(object, 'metadata.resourceVersion')))
  assert.ok(versions.length > 1)
  assert.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
  )
})
