import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RegistryOptions } from './strict-registry/options.ts'
import {
  type RawAnswer,
  type Rig,
  blob,
  chunk,
  closing,
  codeOf,
  digest,
  locationOf,
  octets,
  openRig,
  otherDigest,
} from './strict-registry/raw-rig.ts'

test('a blob goes up whole, in one PUT, and comes back whole or in part', async (t) => {
  const { registry, call, begin, broken } = await openRig(t)
  assert.equal((await call('HEAD', `a/blobs/${digest}`)).status, 404)
  const put = await call('PUT', closing(await begin()), { headers: octets, body: blob })
  assert.deepEqual([put.status, put.headers['docker-content-digest']], [201, digest])
  const head = await call('HEAD', `a/blobs/${digest}`)
  assert.deepEqual([head.status, head.headers['content-length']], [200, '10'])
  assert.deepEqual((await call('GET', `a/blobs/${digest}`)).body, blob)
  const part = await call('GET', `a/blobs/${digest}`, { headers: { range: 'bytes=3-' } })
  assert.deepEqual([part.status, part.headers['content-range'], String(part.body)], [206, 'bytes 3-9/10', '3456789'])
  assert.equal((await call('GET', `a/blobs/${digest}`, { headers: { range: 'bytes=10-' } })).status, 416)
  assert.equal(registry.received.get(digest), 10)
  assert.deepEqual(registry.receivedAgain.size, 0)
  await call('PUT', closing(await begin()), { headers: octets, body: blob })
  assert.equal(registry.receivedAgain.get(digest), 10)
  assert.deepEqual(broken(), [])
})

test('a blob goes up in chunks, each to the newest Location, the last with the PUT', async (t) => {
  const { call, begin, broken } = await openRig(t, { locations: 'Absolute' })
  const first = await call('PATCH', await begin(), chunk(0, 3))
  assert.deepEqual([first.status, first.headers['range']], [202, '0-3'])
  const status = await call('GET', locationOf(first))
  assert.deepEqual([status.status, status.headers['range']], [204, '0-3'])
  const second = await call('PATCH', locationOf(status), chunk(4, 7))
  assert.equal((await call('PUT', closing(locationOf(second)), chunk(8, 9))).status, 201)
  assert.match(locationOf(second), /^http:\/\/127\.0\.0\.1:\d+\/v2\/a\/blobs\/uploads\/.*_state=/)
  assert.deepEqual((await call('GET', `a/blobs/${digest}`)).body, blob)
  assert.deepEqual(broken(), [])
})

/** Each breaks one rule. */
const wrongUploads: Record<string, readonly [number, string, (rig: Rig) => Promise<RawAnswer>, RegistryOptions?]> = {
  'ContentRangeOrder: a chunk leaves a gap': [
    416,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) => await call('PATCH', await begin(), chunk(5, 9)),
  ],
  'ContentRangeOrder: a chunk comes twice': [
    416,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) => {
      const answer = await call('PATCH', locationOf(await call('PATCH', await begin(), chunk(0, 3))), chunk(0, 3))
      assert.equal(answer.headers['range'], '0-3')
      return answer
    },
  ],
  'ContentRangeInvalid: the range is longer than the body': [
    400,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) =>
      await call('PATCH', await begin(), { ...chunk(0, 3), headers: { ...octets, 'content-range': '0-4' } }),
  ],
  'ContentRangeInvalid: the range is written as HTTP writes it': [
    400,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) =>
      await call('PATCH', await begin(), { ...chunk(0, 3), headers: { ...octets, 'content-range': 'bytes 0-3/10' } }),
  ],
  'ContentRangeMissing: a chunk says nothing about its place': [
    400,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) => await call('PATCH', await begin(), { headers: octets, body: blob }),
  ],
  'ContentRangeMissing: the rest comes with the PUT and says nothing about its place': [
    400,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) =>
      await call('PUT', closing(locationOf(await call('PATCH', await begin(), chunk(0, 3)))), {
        headers: octets,
        body: blob.subarray(4),
      }),
  ],
  'LocationStale: an older Location is used': [
    400,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) => {
      const old = await begin()
      await call('PATCH', old, chunk(0, 3))
      return await call('PATCH', old, chunk(4, 9))
    },
  ],
  'LocationQueryLost: the query of the Location is dropped': [
    400,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) => await call('PATCH', (await begin()).replace(/\?.*/, ''), chunk(0, 3)),
  ],
  'LocationQueryLost: the upload is taken to another repository': [
    400,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) => await call('PATCH', (await begin()).replace('/v2/a/', '/v2/b/'), chunk(0, 3)),
  ],
  'UploadUnknown: nobody began this upload': [
    404,
    'BLOB_UPLOAD_UNKNOWN',
    async ({ call }) => await call('PATCH', 'a/blobs/uploads/x?_state=1', chunk(0, 3)),
  ],
  'ContentLengthMissing: a chunk without a length': [
    400,
    'SIZE_INVALID',
    async ({ call, begin }) => await call('PATCH', await begin(), { ...chunk(0, 3), chunked: true }),
  ],
  'ContentLengthMissing: a PUT without a length': [
    400,
    'SIZE_INVALID',
    async ({ call, begin }) =>
      await call('PUT', closing(await begin()), { headers: octets, body: blob, chunked: true }),
  ],
  'ContentLengthMissing: a POST without a length': [
    400,
    'SIZE_INVALID',
    async ({ call }) => await call('POST', 'a/blobs/uploads/', { chunked: true }),
  ],
  'ContentType: a blob that is called something else': [
    400,
    'BLOB_UPLOAD_INVALID',
    async ({ call, begin }) =>
      await call('PUT', closing(await begin()), { headers: { 'content-type': 'application/json' }, body: blob }),
  ],
  'DigestMismatch: the content is not what the digest says': [
    400,
    'DIGEST_INVALID',
    async ({ call, begin }) => await call('PUT', closing(await begin(), otherDigest), { headers: octets, body: blob }),
  ],
  'DigestInvalid: a PUT without a digest': [
    400,
    'DIGEST_INVALID',
    async ({ call, begin }) => await call('PUT', await begin(), { headers: octets, body: blob }),
  ],
  'DigestInvalid: a digest in capitals': [
    400,
    'DIGEST_INVALID',
    async ({ call }) => await call('GET', `a/blobs/${digest.toUpperCase()}`),
  ],
  'DigestInvalid: a mount of nothing': [
    400,
    'DIGEST_INVALID',
    async ({ call }) => await call('POST', 'a/blobs/uploads/?mount=x&from=b'),
  ],
  'ChunkTooLong: longer than announced': [
    413,
    'SIZE_INVALID',
    async ({ call, begin }) => await call('PATCH', await begin(), chunk(0, 4)),
    { chunkMaxBytes: 4 },
  ],
  'ChunkTooShort: shorter than announced and not the last': [
    400,
    'SIZE_INVALID',
    async ({ call, begin }) =>
      await call('PATCH', locationOf(await call('PATCH', await begin(), chunk(0, 2))), chunk(3, 9)),
    { chunkMinBytes: 4 },
  ],
  'Endpoint: an upload without the slash at the end': [
    400,
    'UNSUPPORTED',
    async ({ call }) => await call('POST', 'a/blobs/uploads'),
  ],
  'Endpoint: a repository in capitals': [
    400,
    'NAME_INVALID',
    async ({ call }) => await call('GET', `A/blobs/${digest}`),
  ],
}

for (const [name, [status, code, act, options]] of Object.entries(wrongUploads)) {
  test(`an upload against the rules is refused and written down. ${name}`, async (t) => {
    const made = await openRig(t, options)
    const answer = await act(made)
    assert.deepEqual([answer.status, codeOf(answer)], [status, code])
    assert.deepEqual(made.broken(), [name.replace(/:.*/, '')])
    assert.equal(made.registry.hasBlob('a', digest), false)
  })
}

test('what a registry does not announce is refused without being a violation', async (t) => {
  const { call, begin, broken } = await openRig(t, { maxBodyBytes: 8, maxPatchBytes: 4 })
  assert.equal((await call('PATCH', await begin(), chunk(0, 4))).status, 416)
  const location = await begin()
  assert.equal((await call('PUT', closing(location), { headers: octets, body: blob })).status, 413)
  const first = await call('PATCH', location, chunk(0, 3))
  assert.equal((await call('PUT', closing(locationOf(first)), chunk(4, 9))).status, 201)
  assert.deepEqual(broken(), [])
})

test('a blob is mounted, or uploaded instead, or neither, as the registry has it', async (t) => {
  const mount = `a/blobs/uploads/?mount=${digest}&from=b`
  for (const [mounts, status] of [
    ['Allowed', 201],
    ['Accepted', 202],
    ['Refused', 405],
  ] as const) {
    const { registry, call } = await openRig(t, { mounts, chunkMinBytes: 5, chunkMaxBytes: 7 })
    registry.holdBlob('b', blob)
    assert.equal((await call('POST', mount)).status, status)
    assert.equal(registry.hasBlob('a', digest), mounts === 'Allowed')
    const { headers, status: started } = await call('POST', 'a/blobs/uploads/')
    assert.deepEqual([started, headers['oci-chunk-min-length'], headers['oci-chunk-max-length']], [202, '5', '7'])
  }
})
