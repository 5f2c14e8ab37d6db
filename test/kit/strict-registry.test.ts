import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Descriptor, digestOf, mediaTypes } from '../../src/image/oci/descriptor.ts'
import { encodeDocument } from '../../src/image/oci/manifest.ts'
import { createRandom } from './random.ts'
import { drawFaults, planFaults } from './strict-registry/faults.ts'
import type { RegistryOptions } from './strict-registry/options.ts'
import { type RawAnswer, type RawCall, callRaw, codeOf } from './strict-registry/raw-client.ts'
import { makeSampleImage } from './strict-registry/sample-image.ts'
import { type StrictRegistry, startStrictRegistry } from './strict-registry/strict-registry.ts'

interface Rig {
  readonly registry: StrictRegistry
  /** Below `/v2/`, or a whole Location. */
  call(method: string, target: string, call?: RawCall): Promise<RawAnswer>
  /** The Location of a new upload in `a`. */
  begin(): Promise<string>
  broken(): readonly string[]
}

async function rig(t: TestContext, options: RegistryOptions = {}): Promise<Rig> {
  const registry = await startStrictRegistry(options)
  t.after(async () => await registry.close())
  const call: Rig['call'] = async (method, target, more) =>
    await callRaw(registry, method, /^(http:|\/)/.test(target) ? target : `/v2/${target}`, more)
  return {
    registry,
    call,
    begin: async () => locationOf(await call('POST', 'a/blobs/uploads/')),
    broken: () => registry.violations.map(({ rule }) => rule),
  }
}

const locationOf = ({ headers }: RawAnswer): string => headers.location ?? assert.fail('no Location')
const octets = { 'content-type': 'application/octet-stream' }
const blob = Buffer.from('0123456789')
const digest = digestOf(blob)
const otherDigest = digestOf(Buffer.from('other'))
const chunk = (first: number, last: number): RawCall => ({
  headers: { ...octets, 'content-range': `${first}-${last}` },
  body: blob.subarray(first, last + 1),
})
const closing = (location: string, named: string = digest): string => `${location}&digest=${named}`

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

test('a blob goes up whole, in one PUT, and comes back whole or in part', async (t) => {
  const { registry, call, begin, broken } = await rig(t)
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
  const { call, begin, broken } = await rig(t, { locations: 'Absolute' })
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
    'UNSUPPORTED',
    async ({ call }) => await call('GET', `A/blobs/${digest}`),
  ],
}

for (const [name, [status, code, act, options]] of Object.entries(wrongUploads)) {
  test(`an upload against the rules is refused and written down. ${name}`, async (t) => {
    const made = await rig(t, options)
    const answer = await act(made)
    assert.deepEqual([answer.status, codeOf(answer)], [status, code])
    assert.deepEqual(made.broken(), [name.replace(/:.*/, '')])
    assert.equal(made.registry.hasBlob('a', digest), false)
  })
}

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
    const made = await rig(t)
    made.registry.holdBlob('a', blob)
    const answer = await made.call('PUT', `a/manifests/${reference}`, call)
    assert.deepEqual([answer.status, codeOf(answer)], [400, code])
    assert.deepEqual(made.broken(), [name.replace(/:.*/, '')])
    assert.deepEqual(made.registry.tags('a'), [])
  })
}

test('a manifest by digest needs all that it names; its subject may come later', async (t) => {
  const { registry, call, broken } = await rig(t)
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
  const { registry, call, broken } = await rig(t)
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
  const { registry, call, broken } = await rig(t, { etags: true, maxManifestBytes: 400 })
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

test('what a registry does not announce is refused without being a violation', async (t) => {
  const { call, begin, broken } = await rig(t, { maxBodyBytes: 8, maxPatchBytes: 4 })
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
    const { registry, call } = await rig(t, { mounts, chunkMinBytes: 5, chunkMaxBytes: 7 })
    registry.holdBlob('b', blob)
    assert.equal((await call('POST', mount)).status, status)
    assert.equal(registry.hasBlob('a', digest), mounts === 'Allowed')
    const { headers, status: started } = await call('POST', 'a/blobs/uploads/')
    assert.deepEqual([started, headers['oci-chunk-min-length'], headers['oci-chunk-max-length']], [202, '5', '7'])
  }
})

test('redirected reads go to another host, which has no business with the login', async (t) => {
  const { registry, call, broken } = await rig(t, { redirects: true, ranges: false, warning: 'moving soon' })
  registry.holdBlob('a', blob)
  const answer = await call('GET', `a/blobs/${digest}`)
  assert.deepEqual([answer.status, answer.headers['warning']], [307, '299 - "moving soon"'])
  const location = locationOf(answer)
  assert.match(location, /^http:\/\/localhost:/)
  assert.deepEqual((await call('GET', location, { headers: { range: 'bytes=3-' } })).body, blob)
  assert.equal((await call('GET', location.replace(/\?.*/, ''))).status, 403)
  assert.deepEqual(broken(), [])
  await call('GET', location, { headers: { authorization: 'Basic eDp5' } })
  assert.deepEqual(broken(), ['AuthorizationAtRedirect'])
  assert.equal(registry.requests.get('Redirected'), 3)
})

test('referrers come in pages and by type, or there is no such API', async (t) => {
  const { registry, call } = await rig(t, { referrers: { pageSize: 2, filters: true } })
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

  const without = await rig(t, { referrers: 'None' })
  without.registry.holdBlob('a', blob)
  const [{ descriptor, call: put } = assert.fail()] = puts
  assert.equal((await without.call('PUT', `a/manifests/${descriptor.digest}`, put)).headers['oci-subject'], undefined)
  assert.equal((await without.call('GET', `a/referrers/${otherDigest}`)).status, 404)
})

const basic = { authorization: `Basic ${Buffer.from('ann:s3cret').toString('base64')}` }
const login = { user: 'ann', password: 's3cret' }

test('a registry with a password takes no request without it', async (t) => {
  const { call } = await rig(t, { auth: { kind: 'Basic', ...login } })
  const refused = await call('GET', '')
  assert.deepEqual(
    [refused.status, codeOf(refused), refused.headers['www-authenticate']],
    [401, 'UNAUTHORIZED', 'Negotiate, Basic realm="strict"'],
  )
  assert.equal((await call('GET', '', { headers: basic })).status, 200)
})

const tokenOf = ({ body }: RawAnswer): string => (JSON.parse(body.toString()) as { token: string }).token

test('a token is good for its scopes and for its time', async (t) => {
  let nowMs = 0
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => Promise.reject(new Error('nobody sleeps')),
  }
  const { registry, call, broken } = await rig(t, { auth: { kind: 'Bearer', tokenSeconds: 5, ...login }, clock })
  registry.holdBlob('b', blob)
  const asks = async (method: string, target: string, token: string): Promise<string | undefined> => {
    const answer = await call(method, target, { headers: { authorization: `Bearer ${token}` } })
    return answer.status === 401 ? answer.headers['www-authenticate'] : undefined
  }
  const give = async (query: string, headers = basic): Promise<RawAnswer> =>
    await call('GET', `/token?service=strict-registry${query}`, { headers })
  assert.match((await asks('HEAD', `a/blobs/${digest}`, 'x')) ?? '', /scope="repository:a:pull",error="invalid_token"/)
  const pull = tokenOf(await give('&scope=repository:a:pull'))
  assert.equal(await asks('HEAD', `a/blobs/${digest}`, pull), undefined)
  assert.match(
    (await asks('POST', 'a/blobs/uploads/', pull)) ?? '',
    /scope="repository:a:pull,push",error="insufficient_scope"/,
  )
  const push = tokenOf(await give('&scope=repository:a:pull,push'))
  assert.equal(await asks('POST', 'a/blobs/uploads/', push), undefined)
  const mount = `a/blobs/uploads/?mount=${digest}&from=b`
  assert.match((await asks('POST', mount, push)) ?? '', /scope="repository:a:pull,push repository:b:pull"/)
  const both = tokenOf(await give('&scope=repository:a:pull,push&scope=repository:b:pull'))
  assert.equal(await asks('POST', mount, both), undefined)
  nowMs = 5000
  assert.match((await asks('POST', 'a/blobs/uploads/', push)) ?? '', /error="invalid_token"/)
  assert.equal((await give('', { authorization: 'Basic eDp5' })).status, 401)
  assert.deepEqual(broken(), [])
  assert.equal((await give('&scope=a:pull')).status, 400)
  assert.equal((await call('GET', '/token?service=other', { headers: basic })).status, 400)
  assert.deepEqual(broken(), ['TokenRequest', 'TokenRequest'])
})

test('a token server knows anonymous pulls, read-only registries and identity tokens', async (t) => {
  const auth = {
    kind: 'Bearer',
    ...login,
    anonymousPull: true,
    readOnly: true,
    identityToken: 'id',
    tokenField: 'access_token',
  } as const
  const { call, broken } = await rig(t, { auth })
  const scope = 'repository:a:pull,push'
  const query = new URLSearchParams({ service: 'strict-registry', scope })
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'x',
    refresh_token: 'id',
    service: 'strict-registry',
    scope,
  })
  for (const answer of [
    await call('GET', `/token?${query.toString()}`),
    await call('GET', `/token?${query.toString()}`, { headers: basic }),
    await call('POST', '/token', { body: form.toString() }),
  ]) {
    const { access_token: token } = JSON.parse(answer.body.toString()) as { access_token: string }
    const headers = { authorization: `Bearer ${token}` }
    assert.equal((await call('HEAD', `a/blobs/${digest}`, { headers })).status, 404)
    assert.equal((await call('POST', 'a/blobs/uploads/', { headers })).status, 401)
  }
  form.set('refresh_token', 'other')
  assert.equal((await call('POST', '/token', { body: form.toString() })).status, 401)
  assert.deepEqual(broken(), [])
  form.delete('client_id')
  assert.equal((await call('POST', '/token', { body: form.toString() })).status, 400)
  assert.deepEqual(broken(), ['TokenRequest'])
})

const isCut = (error: unknown): boolean => error instanceof Error && /hang up|aborted|ECONNRESET/.test(error.message)

test('planned failures happen once, and say when to come again', async (t) => {
  const faults = planFaults([
    { on: 'BlobHead', number: 2, times: 2, fault: { kind: 'Status', status: 429, retryAfterSeconds: 7 } },
    { on: 'BlobGet', fault: { kind: 'CutAnswer', afterBytes: 4 } },
    { on: 'Ping', fault: { kind: 'CutBeforeAnswer' } },
  ])
  const { registry, call } = await rig(t, { faults })
  registry.holdBlob('a', blob)
  const heads: RawAnswer[] = []
  for (let number = 0; number < 4; number++) heads.push(await call('HEAD', `a/blobs/${digest}`))
  assert.deepEqual(
    heads.map(({ status }) => status),
    [200, 429, 429, 200],
  )
  assert.equal(heads[1]?.headers['retry-after'], '7')
  await assert.rejects(call('GET', ''), isCut)
  await assert.rejects(call('GET', `a/blobs/${digest}`), isCut)
  assert.deepEqual((await call('GET', `a/blobs/${digest}`)).body, blob)
})

for (const cutBodies of ['Kept', 'Dropped'] as const) {
  test(`a body cut off is ${cutBodies.toLowerCase()}, and the upload can be taken up at the old Location`, async (t) => {
    const faults = planFaults([{ on: 'UploadPut', fault: { kind: 'CutRequest', afterBytes: 6 } }])
    const { registry, call, begin, broken } = await rig(t, { faults, cutBodies })
    const location = await begin()
    await assert.rejects(call('PUT', closing(location), { headers: octets, body: blob }), isCut)
    assert.equal(registry.received.get(digest), 6)
    const status = await call('GET', location)
    assert.deepEqual([status.status, status.headers['range']], [204, cutBodies === 'Kept' ? '0-5' : '0-0'])
    const rest = cutBodies === 'Kept' ? chunk(6, 9) : { headers: octets, body: blob }
    assert.equal((await call('PUT', closing(locationOf(status)), rest)).status, 201)
    assert.equal(registry.received.get(digest), cutBodies === 'Kept' ? 10 : 16)
    assert.deepEqual(broken(), [])
  })
}

test('a chunk whose answer was lost may be sent again: 416, and the old Location tells how far it came', async (t) => {
  const faults = planFaults([{ on: 'UploadPatch', fault: { kind: 'CutBeforeAnswer' } }])
  const { call, begin, broken } = await rig(t, { faults })
  const location = await begin()
  await assert.rejects(call('PATCH', location, chunk(0, 3)), isCut)
  const again = await call('PATCH', location, chunk(0, 3))
  assert.deepEqual([again.status, again.headers['range']], [416, '0-3'])
  const status = await call('GET', location)
  assert.equal((await call('PUT', closing(locationOf(status)), chunk(4, 9))).status, 201)
  assert.deepEqual(broken(), [])
})

test('an upload that was forgotten, closed or deleted is not there any more, which is nobody’s mistake', async (t) => {
  const faults = planFaults([{ on: 'UploadPatch', fault: { kind: 'ForgetUpload' } }])
  const { call, begin, broken } = await rig(t, { faults })
  const forgotten = await begin()
  const gone = await call('PATCH', forgotten, chunk(0, 3))
  assert.deepEqual([gone.status, codeOf(gone)], [404, 'BLOB_UPLOAD_UNKNOWN'])
  const closed = await begin()
  await call('PUT', closing(closed), { headers: octets, body: blob })
  const deleted = await begin()
  assert.equal((await call('DELETE', deleted)).status, 204)
  for (const location of [forgotten, closed, deleted]) assert.equal((await call('GET', location)).status, 404)
  assert.deepEqual(broken(), [])
})

test('drawn faults are the same for the same seed, and of every kind', () => {
  const draw = (seed: number): string[] => {
    const faults = drawFaults(createRandom(seed), 500)
    return Array.from(
      { length: 200 },
      (_, number) => faults({ kind: 'UploadPut', number, bodyBytes: 100 })?.kind ?? 'None',
    )
  }
  assert.deepEqual(draw(1), draw(1))
  assert.notDeepEqual(draw(1), draw(2))
  assert.deepEqual([...new Set(draw(1))].toSorted(), [
    'CutAnswer',
    'CutBeforeAnswer',
    'CutRequest',
    'ForgetUpload',
    'None',
    'Status',
  ])
})

test('the sample image leads to nothing that it lacks', async () => {
  const image = makeSampleImage(createRandom(1))
  assert.equal(image.blobs.size, 5)
  for (const { descriptor, bytes } of image.manifests) assert.equal(descriptor.digest, digestOf(bytes))
  for (const [held, bytes] of image.blobs) assert.equal(held, digestOf(bytes))
})
