import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  addSampleIndex,
  addSampleReferrer,
  createMemoryBlobs,
  openTestRegistry,
} from '../../../test/kit/registry-rig.ts'
import type { RegistryOptions as StrictOptions } from '../../../test/kit/strict-registry/options.ts'
import { startStrictRegistry } from '../../../test/kit/strict-registry/strict-registry.ts'
import { type Descriptor, mediaTypes } from '../oci/descriptor.ts'
import { encodeDocument } from '../oci/manifest.ts'
import { pushImage } from './push.ts'
import { parseReference } from './reference.ts'
import { attachReferrer, listReferrers } from './referrers.ts'

async function startWithImage(test: TestContext, strict: StrictOptions) {
  const server = await startStrictRegistry(strict)
  const registry = openTestRegistry(server.host)
  test.after(async () => {
    await registry.close()
    await server.close()
    assert.deepEqual(server.violations, [])
  })
  const blobs = createMemoryBlobs()
  const root = addSampleIndex(blobs)
  const target = parseReference(`${server.host}/team/model:1`)
  await pushImage(registry, { root, blobs, target })
  const attach = async (artifactType: string) => {
    const descriptor = addSampleReferrer(blobs, root, artifactType)
    return await attachReferrer(registry, target, { descriptor, blobs })
  }
  return { server, registry, root, target, blobs, attach }
}

test('a registry with lists of referrers keeps them, over several pages, filtered there or here', async (t) => {
  for (const filters of [true, false]) {
    const { server, registry, target, attach } = await startWithImage(t, { referrers: { pageSize: 2, filters } })
    const types = ['a/sbom', 'a/sign', 'b/sbom', 'c/sbom', 'd/sbom']
    for (const type of types) assert.equal((await attach(type)).listedBy, 'Registry')
    const found = await listReferrers(registry, target)
    assert.equal(found.length, types.length)
    assert.deepEqual(new Set(found.map(({ artifactType }) => artifactType)), new Set(types))
    const [only, ...more] = await listReferrers(registry, target, 'a/sign')
    assert.equal(only?.artifactType, 'a/sign')
    assert.deepEqual(more, [])
    assert.deepEqual(server.tags('team/model'), ['1'])
  }
})

test('a registry without gets an index under a tag, where each referrer stands once', async (t) => {
  for (const etags of [true, false]) {
    const { server, registry, root, target, attach } = await startWithImage(t, { referrers: 'None', etags })
    assert.deepEqual(await listReferrers(registry, target), [])
    for (const type of ['a/sbom', 'a/sign', 'a/sbom']) assert.equal((await attach(type)).listedBy, 'Tag')
    const found = await listReferrers(registry, { ...target, digest: root.digest })
    assert.deepEqual(
      found.map(({ artifactType }) => artifactType),
      ['a/sbom', 'a/sign'],
    )
    assert.deepEqual(await listReferrers(registry, target, 'a/other'), [])
    assert.ok(server.tags('team/model').includes(root.digest.replace(':', '-')))
  }
})

test('two who attach at the same time both stand in the list in the end', async (t) => {
  const { registry, target, attach } = await startWithImage(t, { referrers: 'None', etags: true })
  await attach('a/first')
  await Promise.all([attach('a/sbom'), attach('a/sign')])
  assert.equal((await listReferrers(registry, target)).length, 3)
})

test('a tag of that name that is something else is not written over', async (t) => {
  const { server, registry, root, target, blobs, attach } = await startWithImage(t, { referrers: 'None' })
  const tag = root.digest.replace(':', '-')
  const manifest = addSampleReferrer(blobs, root, 'a/other')
  await pushImage(registry, { root: manifest, blobs, target: { ...target, tag } })
  await assert.rejects(attach('a/sbom'), { code: 'TL_REGISTRY_FAILED', message: /is no list of referrers but/ })
  assert.equal(server.manifest('team/model', tag)?.digest, manifest.digest)
})

test('what has no subject, or another one, is not attached', async (t) => {
  const { registry, root, target, blobs } = await startWithImage(t, {})
  await assert.rejects(attachReferrer(registry, target, { descriptor: root, blobs }), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /no subject/,
  })
  const descriptor = addSampleReferrer(blobs, { ...root, mediaType: mediaTypes.index }, 'a/sbom')
  const other = { ...target, digest: `sha256:${'0'.repeat(64)}` } as const
  await assert.rejects(attachReferrer(registry, other, { descriptor, blobs }), { code: 'TL_REFERENCE_INVALID' })
})

test('a list of others keeps what they wrote, and nulls in it are nothing', async (t) => {
  const { server, registry, root, target, blobs, attach } = await startWithImage(t, { referrers: 'None' })
  const tag = root.digest.replace(':', '-')
  const other: Descriptor & { readonly note: string } = {
    ...addSampleReferrer(blobs, root, 'a/other'),
    artifactType: 'a/other',
    note: 'theirs',
  }
  const list = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [other], annotations: null, own: { a: 1 } }
  const index = blobs.add(mediaTypes.index, encodeDocument(mediaTypes.index, list).bytes)
  await pushImage(registry, { root: index, blobs, target: { ...target, tag } })
  await attach('a/sbom')
  const kept = JSON.parse(Buffer.from(server.manifest('team/model', tag)?.bytes ?? []).toString()) as typeof list
  assert.deepEqual([kept.own, kept.manifests[0]], [{ a: 1 }, other])
  const types = (await listReferrers(registry, target)).map(({ artifactType }) => artifactType)
  assert.deepEqual(types, ['a/other', 'a/sbom'])
})
