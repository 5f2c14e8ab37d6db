import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.js'
import { openFakeApiServer } from '../../test/kit/fake-api-server/fake-api-server.ts'
import type { LogHandler } from '../../test/kit/fake-api-server/http/relays.ts'
import { gpuNode, nodeObject } from '../../test/kit/gpu-nodes.ts'
import { readRecordedLook } from '../../test/kit/recorded-look.ts'
import type { KubeObject } from '../kube/object.ts'
import { openKubeClient } from '../kube/open-kube-client.ts'
import { resources } from '../kube/resources.ts'
import { runtimeClasses } from './inventory/read-inventory.ts'
import { explainLook } from './explain-look.ts'

async function begin(t: TestContext, name: string, logs: LogHandler = () => '') {
  const look = readRecordedLook(name)
  const server = await openFakeApiServer(t, { namespaces: ['ml', 'train'], kinds: [runtimeClasses], logs })
  const client = await openKubeClient({ kubeconfig: server.kubeconfig, namespace: 'ml' })
  t.after(() => client.close())
  return { look, server, client }
}

test('a crash is told with its last words, of the container that ended', async (t) => {
  const asked: string[] = []
  const { look, server, client } = await begin(t, 'crash', ({ query }) => {
    asked.push(`${query.get('previous')} ${query.get('tailLines')}`)
    return '2026-01-01T00:00:00Z loading\n2026-01-01T00:00:01Z Error: no such model\n2026-01-01T00:00:01Z     at load (x.js:1:1)\n'
  })
  for (const pod of look.pods)
    server.objects.put(resources.pods, { ...pod, metadata: { namespace: 'ml', ...pod.metadata } })
  const { causes } = await explainLook(client, look)
  assert.match(causes[0]?.sentence ?? '', /exit code 3; its last words: Error: no such model$/)
  assert.deepEqual([...new Set(asked)], ['null 30'], 'it is not started again yet')
})

test('logs that may not be read, or do not come, leave the rest of the explanation', async (t) => {
  const { look, server, client } = await begin(t, 'crash')
  server.forbid(({ plural }) => plural === 'pods')
  const { causes } = await explainLook(client, look)
  assert.match(causes[0]?.sentence ?? '', /with exit code 3$/)
})

test('who has the GPUs that a pod waits for is named', async (t) => {
  const { look, server, client } = await begin(t, 'no-gpu')
  server.objects.put(resources.nodes, nodeObject(gpuNode('fake-1', 'a10', 8)))
  server.objects.put(resources.pods, {
    metadata: { name: 't-42', namespace: 'train' },
    spec: {
      nodeName: 'fake-1',
      containers: [{ name: 'm', image: 'x', resources: { requests: { 'nvidia.com/gpu': '8' } } }],
    },
    status: { phase: 'Running' },
  } as KubeObject)
  const { causes } = await explainLook(client, look)
  assert.match(causes[0]?.sentence ?? '', /train\/t-42 holds 8 on fake-1/)
})

test('of a pod with a container that was added before it, the last words are of the server, and only when it ended', async (t) => {
  const asked: string[] = []
  const { look, server, client } = await begin(t, 'crash', ({ container, query }) => {
    asked.push(`${container} ${query.get('previous')}`)
    return `2026-01-01T00:00:00Z Error: of ${container}\n`
  })
  const proxy = { name: 'a-proxy', image: 'x', imageID: 'x', restartCount: 0 }
  const withProxy = (change: (statuses: readonly ContainerStatus[]) => readonly ContainerStatus[]): Pod[] =>
    look.pods.map((pod) => ({
      ...pod,
      spec: { ...pod.spec, containers: [{ name: 'a-proxy', image: 'x' }, ...(pod.spec?.containers ?? [])] },
      status: { ...pod.status, containerStatuses: [...change(pod.status?.containerStatuses ?? [])] },
    }))
  const runs = { ...proxy, ready: true, started: true, state: { running: {} } }
  const pods = withProxy((statuses) => [runs, ...statuses])
  for (const pod of pods) server.objects.put(resources.pods, { ...pod, metadata: { namespace: 'ml', ...pod.metadata } })
  const { causes } = await explainLook(client, { ...look, pods })
  assert.match(causes[0]?.sentence ?? '', /its last words: Error: of server$/)
  assert.deepEqual([...new Set(asked)], ['server null'])

  asked.length = 0
  const ended = { ...proxy, ready: false, started: false, state: { terminated: { exitCode: 1 } } }
  const proxyAlone = withProxy((statuses) => [
    ended,
    ...statuses.map(({ lastState: _lastState, ...rest }) => ({
      ...rest,
      ready: true,
      started: true,
      state: { running: {} },
    })),
  ])
  await explainLook(client, { ...look, pods: proxyAlone, events: [] })
  assert.deepEqual(asked, [])
})

test('of lines that are too long to be read to the end there are no last words', async (t) => {
  const { look, server, client } = await begin(t, 'crash', ({ query }) =>
    `2026-01-01T00:00:00Z Error: ${'x'.repeat(2 << 20)}\n`.slice(0, Number(query.get('limitBytes') ?? Infinity)),
  )
  for (const pod of look.pods)
    server.objects.put(resources.pods, { ...pod, metadata: { namespace: 'ml', ...pod.metadata } })
  const { causes } = await explainLook(client, look)
  assert.match(causes[0]?.sentence ?? '', /with exit code 3$/)
})
