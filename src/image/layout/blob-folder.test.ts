import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { type Descriptor, type Digest, digestOf } from '../oci/descriptor.ts'
import { openBlobFolder, readBlobFolder } from './blob-folder.ts'

function temporaryFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'towline-blobs-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

function describe(bytes: Uint8Array): Descriptor {
  return { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

const drafts = (dir: string): string[] => readdirSync(join(dir, '.drafts'))

test('what was put in comes out, from any byte on', async (t) => {
  const blobs = openBlobFolder(temporaryFolder(t))
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(chunks, fc.nat(200), async (parts, startByte) => {
      const bytes = Buffer.concat(parts)
      await blobs.put(describe(bytes), parts)
      assert.deepEqual(await collect(blobs.open(describe(bytes), startByte)), bytes.subarray(startByte))
    }),
    { numRuns: 20 },
  )
})

test('bytes of another digest, too few and too many are refused, and nothing of them is kept', async (t) => {
  const dir = temporaryFolder(t)
  const blobs = openBlobFolder(dir)
  const descriptor = describe(Buffer.from('right'))
  for (const [text, message] of [
    ['wrong', /has the digest sha256:\w+, not sha256:/],
    ['righ', /ended after 4 of the 5 bytes/],
    ['rights', /has more than the 5 bytes/],
  ] as const) {
    await assert.rejects(blobs.put(descriptor, [Buffer.from(text)]), { code: 'TL_BLOB_MISMATCH', message })
    assert.equal(await blobs.has(descriptor.digest), false)
  }
  assert.deepEqual(drafts(dir), [])
})

test('a source that fails is heard as it is, even where it sounds like the disk', async (t) => {
  const dir = temporaryFolder(t)
  const failure = Object.assign(new Error('the other side has no space'), { code: 'ENOSPC' })
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('ri')
    throw failure
  }
  await assert.rejects(openBlobFolder(dir).put(describe(Buffer.from('right')), broken()), (error) => error === failure)
  assert.deepEqual(drafts(dir), [])
})

test('many writers of one blob at once all succeed, and leave one file', async (t) => {
  const dir = temporaryFolder(t)
  const bytes = randomBytes(300_000)
  const parts = [bytes.subarray(0, 1000), bytes.subarray(1000)]
  await Promise.all(Array.from({ length: 8 }, () => openBlobFolder(dir).put(describe(bytes), parts)))
  assert.deepEqual(readdirSync(join(dir, 'sha256')), [digestOf(bytes).slice(7)])
  assert.deepEqual(await collect(readBlobFolder(dir).open(describe(bytes))), bytes)
  assert.deepEqual(drafts(dir), [])
})

test('a blob that was cut off on disk is written again', async (t) => {
  const blobs = openBlobFolder(temporaryFolder(t))
  const bytes = Buffer.from('whole')
  await blobs.put(describe(bytes), [bytes])
  truncateSync(blobs.pathOf(digestOf(bytes)), 2)
  await blobs.put(describe(bytes), [bytes])
  assert.equal(readFileSync(blobs.pathOf(digestOf(bytes)), 'utf8'), 'whole')
})

/** The same size, the same name, one bit another. */
function flipBit(path: string): void {
  const bytes = readFileSync(path)
  bytes[0] = (bytes[0] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

test('a blob with a flipped bit is replaced by whoever puts or adopts it, and a whole one stays as it is', async (t) => {
  const dir = temporaryFolder(t)
  const blobs = openBlobFolder(join(dir, 'blobs'))
  const bytes = Buffer.from('whole')
  const file = join(dir, 'made')
  writeFileSync(file, bytes)
  const path = blobs.pathOf(digestOf(bytes))
  await blobs.put(describe(bytes), [bytes])
  const first = statSync(path).ino
  flipBit(path)
  await blobs.put(describe(bytes), [bytes])
  assert.equal(readFileSync(path, 'utf8'), 'whole')
  const second = statSync(path).ino
  assert.notEqual(second, first)
  await blobs.adopt(describe(bytes), file)
  assert.equal(statSync(path).ino, second)
  flipBit(path)
  await blobs.adopt(describe(bytes), file)
  assert.equal(statSync(path).ino, statSync(file).ino)
})

test('what is damaged is removed when asked for, and nothing else', async (t) => {
  const blobs = openBlobFolder(temporaryFolder(t))
  const texts = ['whole', 'flipped', 'cut off'].map((text) => Buffer.from(text))
  for (const bytes of texts) await blobs.put(describe(bytes), [bytes])
  const [whole, flipped, cut] = texts.map((bytes) => digestOf(bytes)) as [Digest, Digest, Digest]
  flipBit(blobs.pathOf(flipped))
  truncateSync(blobs.pathOf(cut), 2)
  writeFileSync(join(blobs.folder, 'sha256', 'notes'), 'of somebody')
  assert.equal(await blobs.removeDamaged(), 2)
  assert.equal(await blobs.removeDamaged(), 0)
  assert.deepEqual(readdirSync(join(blobs.folder, 'sha256')).toSorted(), [whole.slice(7), 'notes'].toSorted())
})

test('a file is adopted as a link, once or twice, and keeps its time; one of another size is refused', async (t) => {
  const dir = temporaryFolder(t)
  const blobs = openBlobFolder(join(dir, 'blobs'))
  const file = join(dir, 'weights')
  writeFileSync(file, 'weights')
  const before = statSync(file, { bigint: true })
  const descriptor = describe(readFileSync(file))
  await blobs.adopt(descriptor, file)
  await blobs.adopt(descriptor, file)
  assert.equal(await blobs.has(descriptor.digest), true)
  const kept = statSync(blobs.pathOf(descriptor.digest), { bigint: true })
  assert.equal(kept.ino, before.ino)
  assert.equal(kept.mtimeNs, before.mtimeNs)
  assert.deepEqual(drafts(blobs.folder), [])
  await assert.rejects(blobs.adopt({ ...descriptor, size: 8 }, file), {
    code: 'TL_BLOB_MISMATCH',
    message: /weights has 7 bytes, not the 8 of sha256:/,
  })
})

test('a file of another file system is adopted as a copy', async (t) => {
  const dir = temporaryFolder(t)
  const other = mkdtempSync('/dev/shm/towline-blobs-')
  t.after(() => rmSync(other, { recursive: true }))
  if (statSync(dir).dev === statSync(other).dev) return t.skip('both are one file system here')
  const file = join(other, 'weights')
  writeFileSync(file, 'weights')
  const blobs = openBlobFolder(dir)
  await blobs.adopt(describe(Buffer.from('weights')), file)
  assert.equal(readFileSync(blobs.pathOf(digestOf(Buffer.from('weights'))), 'utf8'), 'weights')
})

test('a draft of a killed writer goes an hour later, and not before', (t) => {
  const dir = temporaryFolder(t)
  openBlobFolder(dir)
  writeFileSync(join(dir, '.drafts', 'left'), 'half')
  openBlobFolder(dir, Date.now() + 3_500_000)
  assert.deepEqual(drafts(dir), ['left'])
  openBlobFolder(dir, Date.now() + 3_700_000)
  assert.deepEqual(drafts(dir), [])
})

test('what is not there, and a folder that cannot be made, are failures with the path', async (t) => {
  const dir = temporaryFolder(t)
  const descriptor = describe(Buffer.from('none'))
  await assert.rejects(collect(readBlobFolder(dir).open(descriptor)), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /\/sha256\/\w{64} \(is not there\)/,
  })
  assert.equal(await readBlobFolder(dir).has(descriptor.digest), false)
  writeFileSync(join(dir, 'file'), '')
  assert.throws(() => openBlobFolder(join(dir, 'file')), { code: 'TL_FILE_UNWRITABLE', message: /\/file \(ENOTDIR\)/ })
})

test('a pipe in the place of a blob is refused, and nobody waits for it', async (t) => {
  const dir = temporaryFolder(t)
  const descriptor = describe(Buffer.from('none'))
  const path = openBlobFolder(dir).pathOf(descriptor.digest)
  execFileSync('mkfifo', [path])
  await assert.rejects(collect(readBlobFolder(dir).open(descriptor)), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /is no regular file/,
  })
})
