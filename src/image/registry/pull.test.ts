import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type MemoryBlobs,
  addSampleIndex,
  createHastyClock,
  createMemoryBlobs,
  openTestRegistry,
} from '../../../test/kit/registry-rig.ts'
import { planFaults } from '../../../test/kit/strict-registry/faults.ts'
import type { RegistryOptions as StrictOptions } from '../../../test/kit/strict-registry/options.ts'
import { startStrictRegistry } from '../../../test/kit/strict-registry/strict-registry.ts'
import { describeImage } from '../inspect.ts'
import { type Descriptor, mediaTypes } from '../oci/descriptor.ts'
import { choosePlatform } from '../oci/platform-choice.ts'
import { registryBlobs } from './blob-download.ts'
import { pullImage, resolveManifest } from './pull.ts'
import { pushImage } from './push.ts'
import { parseReference } from './reference.ts'

async function startWithImage(test: TestContext, strict: StrictOptions = {}) {
  const server = await startStrictRegistry(strict)
  const clock = createHastyClock()
  const credentials = async () => ({ kind: 'Password', username: 'ann', password: 'pw' }) as const
  const registry = openTestRegistry(server.host, { clock, credentials })
  test.after(async () => {
    await registry.close()
    await server.close()
    assert.deepEqual(server.violations, [])
  })
  const blobs = createMemoryBlobs()
  const root = addSampleIndex(blobs)
  const target = parseReference(`${server.host}/team/model:1`)
  await pushImage(registry, { root, blobs, target })
  return { server, registry, clock, root, target, blobs }
}

test('an image is pulled with all platforms, and is then the same', async (t) => {
  const { registry, root, target, blobs } = await startWithImage(t)
  const store = createMemoryBlobs()
  const pulled = await pullImage(registry, target, store)
  assert.deepEqual(pulled.root, root)
  assert.equal(pulled.images.length, 2)
  assert.deepEqual([...store.content.keys()].toSorted(), [...blobs.content.keys()].toSorted())
})

test('for one platform only its image is pulled, with the index that names it', async (t) => {
  const { registry, target, blobs, server } = await startWithImage(t)
  const store = createMemoryBlobs()
  const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' }
  const { images } = await pullImage(registry, target, store, { platform })
  assert.deepEqual(
    images.map(({ platform }) => platform?.architecture),
    ['arm64'],
  )
  assert.equal(store.content.size, 5)
  const before = server.requests.get('BlobGet')
  await pullImage(registry, target, store, { platform })
  assert.equal(server.requests.get('BlobGet'), before, 'what is there is not fetched again')
  assert.ok(blobs.content.size > 5)
  await assert.rejects(
    pullImage(registry, target, store, { platform: { os: 'linux', architecture: 'arm64', variant: 'v7' } }),
    { code: 'TL_IMAGE_MISSING', message: /holds linux\/amd64, linux\/arm64, not linux\/arm64\/v7/ },
  )
})

test('a blob that is cut off is taken up where it ended, with ranges and without, through redirects and logins', async (t) => {
  for (const [strict, kind] of [
    [{ ranges: true }, 'BlobGet'],
    [{ ranges: false }, 'BlobGet'],
    [{ redirects: true, auth: { kind: 'Bearer', user: 'ann', password: 'pw' } }, 'Redirected'],
  ] as const) {
    const { registry, target, clock } = await startWithImage(t, {
      ...strict,
      faults: planFaults([
        { on: kind, number: 1, fault: { kind: 'CutAnswer', afterBytes: 12_345 } },
        { on: kind, number: 3, fault: { kind: 'Status', status: 503 } },
      ]),
    })
    await pullImage(registry, target, createMemoryBlobs())
    assert.equal(clock.waitsMs.length, 2)
  }
})

test('a blob that is always cut off at once is given up', async (t) => {
  const { registry, target, server } = await startWithImage(t, {
    faults: planFaults([{ on: 'BlobGet', times: 999, fault: { kind: 'CutAnswer', afterBytes: 0 } }]),
  })
  const store = createMemoryBlobs()
  await assert.rejects(pullImage(registry, target, store), {
    code: 'TL_REGISTRY_UNREACHABLE',
    message: /after 4 tries/,
  })
  assert.ok((server.requests.get('BlobGet') ?? 0) <= 16)
  assert.equal(store.content.size, 0)
})

test('what is not there is said so', async (t) => {
  const { registry, target, server } = await startWithImage(t)
  await assert.rejects(resolveManifest(registry, { ...target, tag: '2' }), {
    code: 'TL_IMAGE_MISSING',
    message: /has no team\/model:2/,
  })
  const layer = [...server.received.keys()][0]
  assert.ok(layer !== undefined)
  server.dropBlob('team/model', layer)
  await assert.rejects(pullImage(registry, target, createMemoryBlobs()), { code: 'TL_IMAGE_UNREADABLE' })
})

test('a repository reads like any place of blobs, manifests too, from any byte on', async (t) => {
  const { registry, root, blobs } = await startWithImage(t)
  const reader = registryBlobs(registry, 'team/model')
  const read = async (descriptor: Descriptor, start: number): Promise<Buffer> => {
    const parts: Uint8Array[] = []
    for await (const chunk of reader.open(descriptor, start)) parts.push(chunk)
    return Buffer.concat(parts)
  }
  assert.deepEqual(await read(root, 10), Buffer.from(blobs.content.get(root.digest) ?? []).subarray(10))
  const [digest, bytes] = [...blobs.content][0] ?? []
  assert.ok(digest !== undefined && bytes !== undefined)
  assert.equal(await reader.has(digest), true)
  assert.equal(await reader.has(`sha256:${'0'.repeat(64)}`), false)
  const layer = { mediaType: 'x/y', digest, size: bytes.length }
  assert.deepEqual(await read(layer, 29_990), Buffer.from(bytes.subarray(29_990)))
  assert.equal((await read(layer, bytes.length)).length, 0)
})

function addIndex(blobs: MemoryBlobs, manifests: readonly Descriptor[]): Descriptor {
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests }
  return blobs.add(mediaTypes.index, Buffer.from(JSON.stringify(index)))
}

test('a registry describes an index as a folder does, with all its platforms', async (t) => {
  const { registry, root, blobs } = await startWithImage(t)
  const described = await describeImage(root, registryBlobs(registry, 'team/model'))
  assert.deepEqual(described, await describeImage(root, blobs))
  assert.equal(described.platforms.length, 2)
  assert.deepEqual(described.absent, [])
})

test('an index that names one child twenty thousand times is one request', async (t) => {
  const { registry, target, server, blobs } = await startWithImage(t)
  const child = addSampleIndex(blobs, { architectures: ['amd64'] })
  const root = addIndex(blobs, Array<Descriptor>(20_000).fill(child))
  const hostile = { ...target, tag: 'hostile' }
  await pushImage(registry, { root, blobs, target: hostile })
  const before = server.requests.get('ManifestGet') ?? 0
  const { images } = await pullImage(registry, hostile, createMemoryBlobs())
  assert.equal(images.length, 1)
  assert.equal((server.requests.get('ManifestGet') ?? 0) - before, 3)
})

test('for one platform it is found by its config too, inside another index, and what leads to it comes along', async (t) => {
  const { registry, target, blobs } = await startWithImage(t)
  const silent = (architecture: string): Descriptor => addSampleIndex(blobs, { architectures: [architecture], seed: 3 })
  const inner = addIndex(blobs, [silent('riscv64'), silent('arm64')])
  const root = addIndex(blobs, [inner])
  await pushImage(registry, { root, blobs, target: { ...target, tag: 'deep' } })
  const store = createMemoryBlobs()
  const platform = { os: 'linux', architecture: 'arm64' }
  const { images } = await pullImage(registry, { ...target, tag: 'deep' }, store, { platform })
  assert.equal(images.length, 1)
  const chosen = await choosePlatform(root, platform, store, 'deep')
  assert.deepEqual(chosen.descriptor, images[0])
  for (const { digest } of chosen.manifest.layers) assert.equal(await store.has(digest), true)
  await assert.rejects(
    pullImage(registry, { ...target, tag: 'deep' }, store, { platform: { os: 'linux', architecture: 'amd64' } }),
    { code: 'TL_IMAGE_MISSING', message: /holds linux\/riscv64, linux\/arm64, not linux\/amd64/ },
  )
})
