import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryBlobs } from '../../../test/kit/registry-rig.ts'
import { mediaTypes } from './descriptor.ts'
import { maxDocumentBytes, parseIndex, parseManifest, readManifest, readOwnType } from './document.ts'

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const digest = `sha256:${'0'.repeat(64)}`
const part = { mediaType: mediaTypes.empty, digest, size: 2 }

test('null means that nothing is there, and fields of others stay', () => {
  const bytes = encode({
    schemaVersion: 2,
    config: { ...part, annotations: null, own: 1 },
    layers: null,
    subject: null,
  })
  assert.deepEqual(parseManifest(bytes, mediaTypes.dockerManifest, 'x'), {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { ...part, own: 1 },
    layers: [],
  })
  assert.deepEqual(parseIndex(encode({ schemaVersion: 2, manifests: null }), mediaTypes.index, 'x').manifests, [])
})

test('a document that is two things at once is neither', () => {
  const both = { schemaVersion: 2, config: part, layers: [], manifests: [] }
  const expected = { code: 'TL_IMAGE_UNREADABLE', message: /an index and an image at once/ }
  assert.throws(() => parseManifest(encode(both), mediaTypes.manifest, 'x'), expected)
  assert.throws(() => parseIndex(encode(both), mediaTypes.index, 'x'), expected)
  assert.throws(() => parseIndex(encode({ ...both, config: null }), mediaTypes.index, 'x'), expected)
})

test('a document must be what leads to it says, and what it says itself cannot steer a terminal', () => {
  const mediaType = `a/\u001b[2J${'b'.repeat(1000)}`
  for (const [bytes, message] of [
    [encode({ schemaVersion: 2, mediaType: mediaTypes.index, config: part }), /says it is .*index.*, and what leads/],
    [encode({ schemaVersion: 2, mediaType, config: part }), /says it is a\/ \[2Jb{294}…, and/],
    [encode({ schemaVersion: 2, config: part, annotations: { '\u001b[2J': 1 } }), /annotations\. \[2J: /],
    [Buffer.from('\u001b[2J'), /^[^\u001b]*is no JSON/],
    [encode([]), /its content: /],
    [encode({ schemaVersion: 2, config: { ...part, digest: 'sha512:00' } }), /config\.digest: is no sha256 digest/],
    [encode({ schemaVersion: 2, config: { ...part, size: -1 } }), /config\.size: /],
  ] as const)
    assert.throws(
      () => parseManifest(bytes, mediaTypes.manifest, 'x'),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'TL_IMAGE_UNREADABLE')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /\u001b/)
        return true
      },
    )
})

test('a document that is larger than registries take is not read', async () => {
  const blobs = createMemoryBlobs()
  const large = blobs.add(mediaTypes.manifest, Buffer.alloc(maxDocumentBytes + 1, ' '))
  await assert.rejects(readManifest(large, blobs), { code: 'TL_IMAGE_UNREADABLE', message: /at most 4194304 are read/ })
})

test('a document says of itself what it is, or nothing', () => {
  assert.equal(readOwnType(encode({ mediaType: 'a/b' }), 'x'), 'a/b')
  assert.equal(readOwnType(encode({}), 'x'), undefined)
})
