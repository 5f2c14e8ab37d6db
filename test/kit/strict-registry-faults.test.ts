import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../src/image/oci/descriptor.ts'
import { createRandom } from './random.ts'
import { drawFaults, planFaults } from './strict-registry/faults.ts'
import {
  type RawAnswer,
  blob,
  chunk,
  closing,
  codeOf,
  digest,
  locationOf,
  octets,
  openRig,
} from './strict-registry/raw-rig.ts'
import { makeSampleImage } from './strict-registry/sample-image.ts'

const isCut = (error: unknown): boolean => error instanceof Error && /hang up|aborted|ECONNRESET/.test(error.message)

test('planned failures happen once, and say when to come again', async (t) => {
  const faults = planFaults([
    { on: 'BlobHead', number: 2, times: 2, fault: { kind: 'Status', status: 429, retryAfterSeconds: 7 } },
    { on: 'BlobGet', fault: { kind: 'CutAnswer', afterBytes: 4 } },
    { on: 'Ping', fault: { kind: 'CutBeforeAnswer' } },
  ])
  const { registry, call } = await openRig(t, { faults })
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
    const { registry, call, begin, broken } = await openRig(t, { faults, cutBodies })
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
  const { call, begin, broken } = await openRig(t, { faults })
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
  const { call, begin, broken } = await openRig(t, { faults })
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
