import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openFakeApiServer } from '../../../../test/kit/fake-api-server/fake-api-server.ts'
import { gpuNode, nodeObject } from '../../../../test/kit/gpu-nodes.ts'
import { runtimeClasses } from '../../../cluster/inventory/read-inventory.ts'
import { openKubeClient } from '../../../kube/open-kube-client.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { resources } from '../../../kube/resources.ts'
import { createTerminal } from '../../term/terminal.ts'
import { type GpuFlags, readService, showGpus } from './gpu.ts'

async function begin(t: TestContext) {
  const server = await openFakeApiServer(t, { kinds: [runtimeClasses] })
  const folder = mkdtempSync(join(tmpdir(), 'towline-gpu-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'towline.yaml')
  writeFileSync(
    file,
    [
      'apiVersion: towline.dev/v1alpha1',
      'kind: ModelService',
      'metadata: { name: cats }',
      'spec:',
      '  model: { uri: model.onnx }',
      '  replicas: 2',
      '  gpu: { minMemory: 16Gi }',
      '  pod: { patch: { spec: { nodeSelector: { pool: fast } } } }',
    ].join('\n'),
  )
  const out: string[] = []
  const err: string[] = []
  const terminal = {
    ...createTerminal(process),
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  }
  const client = await openKubeClient({ kubeconfig: server.kubeconfig })
  t.after(() => client.close())
  return {
    server,
    async run(flags: Partial<GpuFlags> = {}, spec?: 'spec') {
      out.length = 0
      err.length = 0
      const service = spec === undefined ? undefined : await readService(terminal, file, undefined)
      await showGpus(terminal, client, { json: false, ...flags }, service)
      return { out: out.join('\n'), err: err.join('\n') }
    },
  }
}

test('a cluster without GPUs says so', async (t) => {
  const { run } = await begin(t)
  assert.equal((await run()).out, 'fake has no GPUs: none of its 0 nodes offers any')
})

test('a spec is placed as it would be rendered, with its patch, its namespace and its driver', async (t) => {
  const { server, run } = await begin(t)
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
  for (const [name, pool] of [
    ['a', 'fast'],
    ['b', 'slow'],
  ] as const) {
    const node = nodeObject(gpuNode(name, 'a10', 2, { driver: '525.53', labels: { pool } }))
    server.objects.put(resources.nodes, { ...node, status: { ...node.status, ...ready } } as KubeObject)
  }
  const { out } = await run({}, 'spec')
  assert.match(out, /^cats: 2 replicas, each with 1 nvidia.com\/gpu, 1 cpu/m)
  assert.match(out, /placement +Surge: there is room for 2, 2 wanted/)
  assert.match(out, /^b +0 +pool is slow, fast wanted$/m)
  const told = JSON.parse((await run({ json: true, cuda: '12.4' }, 'spec')).out) as {
    namespace: string
    nodes: { name: string }[]
    fit: { placement: { kind: string; room: { now: number }; notes: string[] } }
  }
  assert.deepEqual([told.namespace, told.nodes.map(({ name }) => name)], ['default', ['a', 'b']])
  assert.deepEqual([told.fit.placement.kind, told.fit.placement.room.now], ['Impossible', 0])
  assert.match(told.fit.placement.notes.join(), /the scheduler knows no drivers and may choose a/)
})

test('what may not be seen is said, and is not taken for nothing', async (t) => {
  const { server, run } = await begin(t)
  server.forbid(({ verb, namespace }) => verb === 'list' && namespace === undefined)
  const { out, err } = await run({}, 'spec')
  assert.match(out, /nothing is known of GPUs in fake/)
  assert.match(out, /placement +Unknown: nodes may not be seen/)
  assert.equal(err, '  nodes may not be seen by you in fake\n  pods of other namespaces may not be seen by you in fake')
})

test('mistakes in the spec are told before anything is asked of the cluster', async (t) => {
  const { server } = await begin(t)
  const { out, err } = { out: [] as string[], err: [] as string[] }
  const terminal = {
    ...createTerminal(process),
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  }
  const folder = mkdtempSync(join(tmpdir(), 'towline-gpu-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'towline.yaml')
  writeFileSync(
    file,
    'apiVersion: towline.dev/v1alpha1\nkind: ModelService\nmetadata: { name: cats }\nspec: { model: { uri: m.onnx }, gpu: { cout: 1 } }\n',
  )
  await assert.rejects(readService(terminal, file, undefined), { code: 'TL_SPEC_INVALID' })
  assert.match(err.join(), /TL_SPEC_UNKNOWN_KEY.*cout/)
  assert.deepEqual([out, server.requests.length], [[], 0])
})
