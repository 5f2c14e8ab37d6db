import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openFakeApiServer } from '../../../test/kit/fake-api-server/fake-api-server.ts'
import { gpuNode, nodeObject } from '../../../test/kit/gpu-nodes.ts'
import { openKubeClient } from '../../kube/open-kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { readInventory, runtimeClasses } from './read-inventory.ts'

test('one look shows nodes, pods of all namespaces, and quotas of one; what is forbidden is named', async (t) => {
  const server = await openFakeApiServer(t, { namespaces: ['ml', 'other'], kinds: [runtimeClasses] })
  const client = await openKubeClient({ kubeconfig: server.kubeconfig, namespace: 'ml' })
  t.after(() => client.close())
  server.objects.put(resources.nodes, nodeObject(gpuNode('a', 't4', 2)))
  for (const [namespace, name] of [
    ['ml', 'mine'],
    ['other', 'theirs'],
  ] as const)
    server.objects.put(resources.pods, {
      metadata: { namespace, name },
      spec: {
        nodeName: 'a',
        containers: [{ name: 'c', image: 'i', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
      },
    } as object)
  for (const namespace of ['ml', 'other'])
    server.objects.put(resources.resourceQuotas, {
      metadata: { namespace, name: `of-${namespace}` },
      spec: { hard: { pods: '3' } },
    } as object)

  const seen = await readInventory(client)
  assert.deepEqual(
    seen.nodes.map(({ name, allocatable }) => [name, allocatable['nvidia.com/gpu']]),
    [['a', 2]],
  )
  const held = new Map(seen.pods.map(({ namespace, requests }) => [namespace, requests['nvidia.com/gpu']]))
  assert.deepEqual([held.get('ml'), held.get('other'), seen.pods.length], [1, 1, 2])
  assert.deepEqual(seen.quotas, [{ name: 'of-ml', hard: { pods: 3 }, used: {} }])
  assert.deepEqual([seen.unseen, seen.runtimeClasses], [[], []])

  const lift = server.forbid(({ verb, namespace }) => verb === 'list' && namespace === undefined)
  const narrow = await readInventory(client)
  assert.deepEqual(
    narrow.pods.map(({ name }) => name),
    ['mine'],
  )
  assert.deepEqual(narrow.unseen, ['nodes', 'pods of other namespaces'])
  assert.equal(narrow.runtimeClasses, undefined)
  lift()

  server.faults.add({ when: { verb: 'list', plural: 'nodes' }, times: Infinity, does: { kind: 'Refuse', status: 401 } })
  await assert.rejects(readInventory(client), { code: 'TL_CLUSTER_UNAUTHORIZED' })
})
