import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaTypes } from '../oci/descriptor.ts'
import type { BuildPlan } from '../plan/build-plan.ts'
import { assembleConfig, assembleManifest, type FinishedLayer, type Foundation } from './assemble.ts'

const digest = `sha256:${'a'.repeat(64)}` as const
const layer = { mediaType: mediaTypes.dockerLayerGzip, digest, size: 3 }
const base: Foundation = {
  digest,
  manifest: { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config: layer, layers: [layer, layer] },
  config: {
    os: 'linux',
    architecture: 'amd64',
    config: { User: '0', Env: ['PATH=/bin', 'NODE_ENV=old'], Labels: { title: 'base' }, WorkingDir: '/base' },
    rootfs: { type: 'layers', diff_ids: [digest, digest] },
    history: [{ created_by: 'one' }, { created_by: 'ENV', empty_layer: true }],
  },
}
const plan: BuildPlan = {
  name: 'cats',
  platform: { os: 'linux', architecture: 'amd64' },
  base: { reference: 'base:1', why: '' },
  layers: [],
  run: { User: '65532', Env: ['NODE_ENV=production'], Labels: { own: 'label' } },
  model: { digest: '', sizeBytes: 0 },
  notes: [],
}
const finished: FinishedLayer[] = [{ name: 'code', why: 'runs', descriptor: layer, diffId: digest }]

test('the base stays underneath: its variables where the plan has none, its folder, and none of its labels', () => {
  const { config } = assembleConfig(plan, base, finished, '1970-01-01T00:00:00Z')
  assert.deepEqual(config?.Env, ['PATH=/bin', 'NODE_ENV=production'])
  assert.deepEqual([config?.User, config?.WorkingDir], ['65532', '/base'])
  assert.deepEqual(config?.Labels, { own: 'label', 'org.opencontainers.image.base.digest': digest })
})

test('history has an entry for each layer, also where the base left one out', () => {
  const { history = [], rootfs } = assembleConfig(plan, base, finished, '1970-01-01T00:00:00Z')
  assert.equal(history.filter(({ empty_layer: empty }) => empty !== true).length, rootfs.diff_ids.length)
  assert.deepEqual(history.at(-1), {
    created: '1970-01-01T00:00:00Z',
    created_by: 'towline build: code',
    comment: 'runs',
  })
})

test("a base in Docker's own form becomes layers of an OCI image, however they are compressed", () => {
  const own = finished.map((entry) => ({ ...entry, descriptor: { ...layer, mediaType: mediaTypes.layerGzip } }))
  for (const [docker, oci] of [
    [mediaTypes.dockerLayer, mediaTypes.layer],
    [mediaTypes.dockerLayerGzip, mediaTypes.layerGzip],
    [mediaTypes.dockerLayerZstd, mediaTypes.layerZstd],
    [mediaTypes.layerZstd, mediaTypes.layerZstd],
  ] as const) {
    const manifest = { ...base.manifest, layers: [{ ...layer, mediaType: docker }] }
    const { layers } = assembleManifest(layer, { ...base, manifest }, own)
    assert.deepEqual(
      layers.map(({ mediaType }) => mediaType),
      [oci, mediaTypes.layerGzip],
    )
  }
})
