import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type BlobFolder, openBlobFolder } from '../layout/blob-folder.ts'
import { digestOf } from '../oci/descriptor.ts'
import { buildLayer } from './build-layer.ts'
import type { LayerEntry } from './entry.ts'

function makePlaces(t: TestContext): { readonly folder: string; readonly store: BlobFolder; readonly scratch: string } {
  const folder = mkdtempSync(join(tmpdir(), 'towline-layer-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return { folder, store: openBlobFolder(join(folder, 'blobs')), scratch: join(folder, 'scratch') }
}

const bytesOf = (text: string): LayerEntry => ({
  kind: 'File',
  path: 'app/a.txt',
  mode: 0o644,
  content: { kind: 'Bytes', bytes: Buffer.from(text) },
})
/** So large that it is compressed in a thread. */
const large = 'some text that is said again and again\n'.repeat(80_000)

test('a layer is kept under its digest, and its diff id is that of the archive inside', async (t) => {
  const { store, scratch } = makePlaces(t)
  for (const text of ['small', large]) {
    const layer = await buildLayer([bytesOf(text)], { compression: 'Gzip', mtimeS: 0 }, store, scratch)
    const blob = readFileSync(store.pathOf(layer.descriptor.digest))
    assert.deepEqual(layer.descriptor, {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: digestOf(blob),
      size: blob.length,
    })
    const archive = gunzipSync(blob)
    assert.equal(layer.diffId, digestOf(archive))
    assert.equal(layer.unpackedBytes, archive.length)
    assert.ok(archive.includes(text))
  }
  assert.deepEqual(readdirSync(scratch), [])
})

test('a layer that is not compressed is the archive itself', async (t) => {
  const { store, scratch } = makePlaces(t)
  const entries = [bytesOf(large)]
  const plain = await buildLayer(entries, { compression: 'None', mtimeS: 9 }, store, scratch)
  const packed = await buildLayer(entries, { compression: 'Gzip', mtimeS: 9 }, store, scratch)
  assert.equal(plain.descriptor.mediaType, 'application/vnd.oci.image.layer.v1.tar')
  assert.equal(plain.descriptor.digest, plain.diffId)
  assert.equal(plain.descriptor.size, plain.unpackedBytes)
  assert.equal(packed.diffId, plain.diffId)
})

test('what goes wrong in the thread is the same failure as without one, and no draft stays behind', async (t) => {
  const { folder, store, scratch } = makePlaces(t)
  const file = join(folder, 'weights')
  writeFileSync(file, large)
  const entry: LayerEntry = {
    kind: 'File',
    path: 'w',
    mode: 0o644,
    content: { kind: 'Disk', file, sizeBytes: large.length + 1 },
  }
  for (const compression of ['Gzip', 'None'] as const)
    await assert.rejects(buildLayer([entry], { compression, mtimeS: 0 }, store, scratch), {
      name: 'TowlineError',
      code: 'TL_FILE_UNREADABLE',
      message: /weights changed while it was read/,
      hint: /build again/,
    })
  assert.deepEqual(readdirSync(scratch), [])
})

test('a build that is cancelled ends with the reason, and leaves nothing', async (t) => {
  const { store, scratch } = makePlaces(t)
  const options = { compression: 'Gzip', mtimeS: 0 } as const
  const reason = new Error('enough')
  await assert.rejects(buildLayer([bytesOf(large)], options, store, scratch, AbortSignal.abort(reason)), reason)
  const cancel = new AbortController()
  const building = buildLayer([bytesOf(large)], options, store, scratch, cancel.signal)
  setImmediate(() => cancel.abort(reason))
  await assert.rejects(building, reason)
  assert.deepEqual(readdirSync(scratch), [])
  assert.deepEqual(readdirSync(join(store.folder, 'sha256')), [])
})
