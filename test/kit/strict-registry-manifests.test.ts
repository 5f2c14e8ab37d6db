import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Descriptor, mediaTypes } from '../../src/image/oci/descriptor.ts'
import { encodeDocument } from '../../src/image/oci/manifest.ts'
import { type RawAnswer, type RawCall, blob, codeOf, digest, openRig, otherDigest } from './strict-registry/raw-rig.ts'

interface Put {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  readonly call: RawCall
}

function document(mediaType: string, value: object): Put {
  const { descriptor, bytes } = encodeDocument(mediaType, { schemaVersion: 2, mediaType, ...value })
  return { descriptor, bytes, call: { headers: { 'content-type': mediaType }, body: bytes } }
}

const config: Descriptor = { mediaType: mediaTypes.config, digest, size: blob.length }
const manifest = (value: object = {}): Put => document(mediaTypes.manifest, { config, layers: [], ...value })
const accept = { headers: { accept: `${mediaTypes.index}, ${mediaTypes.manifest};q=0.9` } }

const wrongManifests: Record<string, readonly [string, Put, string]> = {
  'ContentType: another type than the manifest says': [
    '1',
    { ...manifest(), call: { ...manifest().call, headers: { 'content-type': mediaTypes.index } } },
    'MANIFEST_INVALID',
  ],
  'DigestMismatch: put at another digest': [otherDigest, manifest(), 'DIGEST_INVALID'],
  'TagInvalid: a tag that is none': ['-1', manifest(), 'MANIFEST_INVALID'],
  'ManifestInvalid: no layers': ['1', document(mediaTypes.manifest, { config }), 'MANIFEST_INVALID'],
  'ManifestInvalid: a subject that is none': ['1', manifest({ subject: { digest } }), 'MANIFEST_INVALID'],
  'ManifestInvalid: no JSON': ['1', { ...manifest(), call: { ...manifest().call, body: '{' } }, 'MANIFEST_INVALID'],
  'ContentLengthMissing: without a length': [
    '1',
    { ...manifest(), call: { ...manifest().call, chunked: true } },
    'SIZE_INVALID',
  ],
  'SizeMismatch: another size than the blob has': [
    '1',
    manifest({ layers: [{ ...config, size: 9 }] }),
    'MANIFEST_INVALID',
  ],
}

for (const [name, [reference, { call }, code]] of Object.entries(wrongManifests)) {
  test(`a manifest against the rules is refused and written down. ${name}`, async (t) => {
    const made = await openRig(t)
    made.registry.holdBlob('a', blob)
    const answer = await made.call('PUT', `a/manifests/${reference}`, call)
    assert.deepEqual([answer.status, codeOf(answer)], [400, code])
    assert.deepEqual(made.broken(), [name.replace(/:.*/, '')])
    assert.deepEqual(made.registry.tags('a'), [])
  })
}

test('a manifest by digest needs all that it names; its subject may come later', async (t) => {
  const { registry, call, broken } = await openRig(t)
  const { descriptor, call: put } = manifest({ subject: { ...config, digest: otherDigest } })
  const early = await call('PUT', `a/manifests/${descriptor.digest}`, put)
  assert.deepEqual([early.status, codeOf(early)], [400, 'MANIFEST_BLOB_UNKNOWN'])
  assert.deepEqual(broken(), ['ManifestBlobUnknown'])
  // A blob counts where it was brought to.
  registry.holdBlob('b', blob)
  assert.equal((await call('PUT', `a/manifests/${descriptor.digest}`, put)).status, 400)
  registry.holdBlob('a', blob)
  const late = await call('PUT', `a/manifests/${descriptor.digest}`, put)
  assert.deepEqual([late.status, late.headers['oci-subject']], [201, otherDigest])
})

test('a tag is set only where the whole tree is there, and a tag that lost something is found', async (t) => {
  const { registry, call, broken } = await openRig(t)
  registry.holdBlob('a', blob)
  const child = manifest()
  const index = document(mediaTypes.index, { manifests: [child.descriptor] })
  assert.equal((await call('PUT', 'a/manifests/1', index.call)).status, 400)
  assert.deepEqual(broken(), ['TagOnMissingBlobs', 'ManifestBlobUnknown'])
  await call('PUT', `a/manifests/${child.descriptor.digest}`, child.call)
  assert.equal((await call('PUT', 'a/manifests/1', index.call)).status, 201)
  assert.deepEqual(registry.findBrokenTags(), [])
  registry.dropBlob('a', digest)
  assert.deepEqual(registry.findBrokenTags(), [`a:1 lacks blob ${digest}`])
  assert.equal((await call('PUT', 'a/manifests/2', index.call)).status, 400)
  assert.deepEqual(broken().slice(2), ['TagOnMissingBlobs', 'ManifestBlobUnknown'])
  assert.deepEqual(registry.tags('a'), ['1'])
})

test('a manifest is given to whoever accepts its type, and is 404 to others', async (t) => {
  const { registry, call, broken } = await openRig(t, { etags: true, maxManifestBytes: 400 })
  registry.holdBlob('a', blob)
  const { descriptor, bytes, call: put } = manifest()
  assert.equal((await call('PUT', 'a/manifests/1', put)).status, 201)
  for (const method of ['GET', 'HEAD']) {
    for (const headers of [{}, { accept: '*/*' }, { accept: mediaTypes.index }]) {
      assert.equal((await call(method, 'a/manifests/1', { headers })).status, 404)
    }
    const found = await call(method, `a/manifests/${descriptor.digest}`, accept)
    assert.deepEqual(
      [found.status, found.headers['content-type'], found.headers['docker-content-digest'], found.headers.etag],
      [200, mediaTypes.manifest, descriptor.digest, `"${descriptor.digest}"`],
    )
    assert.deepEqual(found.body, Buffer.from(method === 'GET' ? bytes : ''))
  }
  const other = manifest({ annotations: { a: 'b' } }).call
  const changed = await call('PUT', 'a/manifests/1', { ...other, headers: { ...other.headers, 'if-match': '"x"' } })
  assert.equal(changed.status, 412)
  const long = await call('PUT', 'a/manifests/1', manifest({ annotations: { a: 'b'.repeat(300) } }).call)
  assert.deepEqual([long.status, codeOf(long)], [413, 'SIZE_INVALID'])
  assert.deepEqual(broken(), [])
})

test('referrers come in pages and by type, or there is no such API', async (t) => {
  const { registry, call } = await openRig(t, { referrers: { pageSize: 2, filters: true } })
  registry.holdBlob('a', blob)
  const subject = { ...config, digest: otherDigest }
  const types = ['x/sbom', 'x/sbom', 'x/sbom', 'x/signature']
  const puts = types.map((artifactType, index) =>
    manifest({ artifactType, subject, annotations: { index: String(index) } }),
  )
  for (const { descriptor, call: put } of puts) await call('PUT', `a/manifests/${descriptor.digest}`, put)
  const found: Descriptor[] = []
  let pages = 0
  for (
    let next: string | undefined = `/v2/a/referrers/${otherDigest}?artifactType=x/sbom`;
    next !== undefined;
    pages++
  ) {
    const answer: RawAnswer = await call('GET', next)
    assert.deepEqual([answer.status, answer.headers['oci-filters-applied']], [200, 'artifactType'])
    found.push(...(JSON.parse(answer.body.toString()) as { manifests: Descriptor[] }).manifests)
    next = /<(.*)>/.exec(String(answer.headers['link'] ?? ''))?.[1]
  }
  assert.equal(pages, 2)
  const expected = puts.slice(0, 3).map(({ descriptor }) => descriptor.digest)
  assert.deepEqual(
    found.map((each) => each.digest),
    expected.toSorted(),
  )

  const without = await openRig(t, { referrers: 'None' })
  without.registry.holdBlob('a', blob)
  const [{ descriptor, call: put } = assert.fail()] = puts
  assert.equal((await without.call('PUT', `a/manifests/${descriptor.digest}`, put)).headers['oci-subject'], undefined)
  assert.equal((await without.call('GET', `a/referrers/${otherDigest}`)).status, 404)
})
