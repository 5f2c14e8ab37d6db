import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keepSampleArtifact, keepSampleImage, keepSampleIndex } from '../../test/kit/image-sample.ts'
import { describeImage } from './inspect.ts'
import { type BlobFolder, openBlobFolder } from './layout/blob-folder.ts'
import type { RunConfig } from './oci/manifest.ts'

function createStore(t: TestContext): BlobFolder {
  const dir = mkdtempSync(join(tmpdir(), 'towline-inspect-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return openBlobFolder(dir)
}

const second = 1_000_000_000
const run: RunConfig = {
  User: '65532:65532',
  Env: ['PATH=/bin', 'TOKEN=geheim=1', 'EMPTY'],
  Entrypoint: ['/node', 'replica.js'],
  Cmd: ['replica.json'],
  WorkingDir: '/opt',
  ExposedPorts: { '9090/tcp': {}, '8080/tcp': {} },
  Labels: { a: 'b' },
  StopSignal: 'SIGTERM',
  Healthcheck: { Test: ['CMD', '/node', 'health.js'], Interval: 10 * second, StartPeriod: second / 2, Retries: 3 },
}

test('an image of one platform: how it runs, without values of variables, and which step made which layer', async (t) => {
  const store = createStore(t)
  const files = [['a', '1']] as const
  const { descriptor, layers } = await keepSampleImage(store, [files, [['b', '2']], files], {
    run,
    history: [
      { created_by: 'base' },
      { created_by: 'ENV x', empty_layer: true },
      { created_by: 'weights', comment: 'the model' },
      { created_by: 'again' },
    ],
  })
  const description = await describeImage(descriptor, store)
  assert.doesNotMatch(JSON.stringify(description), /geheim/)
  const [platform] = description.platforms
  assert.deepEqual(description.artifacts, [])
  assert.equal(platform?.digest, descriptor.digest)
  assert.deepEqual(platform.platform, { os: 'linux', architecture: 'amd64' })
  assert.deepEqual(platform.run, {
    user: '65532:65532',
    workingDir: '/opt',
    entrypoint: ['/node', 'replica.js'],
    command: ['replica.json'],
    ports: ['8080/tcp', '9090/tcp'],
    stopSignal: 'SIGTERM',
    healthCheck: {
      test: ['CMD', '/node', 'health.js'],
      intervalMs: 10_000,
      timeoutMs: undefined,
      startPeriodMs: 500,
      retries: 3,
    },
    env: ['PATH', 'TOKEN', 'EMPTY'],
    labels: { a: 'b' },
  })
  assert.deepEqual(
    platform.layers.map(({ digest, createdBy, comment }) => [digest, createdBy, comment]),
    [
      [layers[0]?.digest, 'base', undefined],
      [layers[1]?.digest, 'weights', 'the model'],
      [layers[2]?.digest, 'again', undefined],
    ],
  )
  // The first layer is there twice, and kept and sent once.
  assert.equal(platform.layersBytes, (layers[0]?.size ?? 0) + (layers[1]?.size ?? 0))
  assert.ok(platform.totalBytes > platform.layersBytes + descriptor.size)
})

test('a history that does not fit the layers names none of them', async (t) => {
  const store = createStore(t)
  const { descriptor } = await keepSampleImage(store, [[['a', '1']]], {
    history: [{ created_by: 'one' }, { created_by: 'two' }],
  })
  assert.equal((await describeImage(descriptor, store)).platforms[0]?.layers[0]?.createdBy, undefined)
})

test('an index: its platforms, the artifacts beside them, and what was not fetched', async (t) => {
  const store = createStore(t)
  const amd64 = await keepSampleImage(store, [[['a', '1']]])
  const arm64 = await keepSampleImage(store, [], { platform: { os: 'linux', architecture: 'arm64' } })
  const sbom = await keepSampleArtifact(store, amd64.descriptor, '{}')
  const root = await keepSampleIndex(store, [amd64.descriptor, arm64.descriptor, sbom])
  rmSync(store.pathOf(arm64.descriptor.digest))
  const { platforms, artifacts, absent, digest } = await describeImage(root, store)
  assert.equal(digest, root.digest)
  assert.deepEqual(
    platforms.map((platform) => platform.digest),
    [amd64.descriptor.digest],
  )
  assert.deepEqual(
    artifacts.map(({ artifactType, subject }) => [artifactType, subject]),
    [['application/vnd.cyclonedx+json', amd64.descriptor.digest]],
  )
  assert.deepEqual(absent, [{ digest: arm64.descriptor.digest, platform: { os: 'linux', architecture: 'arm64' } }])
})

test('an artifact on its own is described as one', async (t) => {
  const store = createStore(t)
  const { descriptor } = await keepSampleImage(store, [])
  const { platforms, artifacts } = await describeImage(await keepSampleArtifact(store, descriptor, '{}'), store)
  assert.deepEqual([platforms, artifacts.length], [[], 1])
})
