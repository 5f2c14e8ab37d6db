import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { packTar } from 'modern-tar'
import { encodeHeader, paddingFor } from './header.ts'
import { readTar, sourceOf } from './reader.ts'

interface Seen {
  readonly path: string
  readonly kind: string
  readonly target: string
  readonly text: string | undefined
}

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** Reads the contents of those files only that `wanted` says. */
async function read(
  bytes: Uint8Array,
  pieceBytes = 1000,
  wanted: (path: string) => boolean = () => true,
): Promise<Seen[]> {
  const seen: Seen[] = []
  for await (const entry of readTar(sourceOf(inPieces(bytes, pieceBytes)), 'a.tar')) {
    const { path, kind, target, sizeBytes, startByte } = entry
    const text = kind === 'File' && wanted(path) ? (await entry.read(1 << 20)).toString() : undefined
    if (text !== undefined) assert.equal(Buffer.from(bytes).toString('utf8', startByte, startByte + sizeBytes), text)
    seen.push({ path, kind, target, text })
  }
  return seen
}

const part = fc.stringMatching(/^[a-zäß0-9]{1,60}$/)
const files = fc.uniqueArray(
  fc.record({
    path: fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/')),
    text: fc.string(),
  }),
  { selector: ({ path }) => path, maxLength: 6 },
)

test('what another writer packed is read, with names of any length, in pieces of any size, read or passed over', async () => {
  await fc.assert(
    fc.asyncProperty(files, fc.integer({ min: 1, max: 3000 }), fc.nat(), async (list, pieceBytes, skipped) => {
      const entries = list.map(({ path, text }) => ({
        header: { name: path, size: Buffer.byteLength(text), mtime: new Date(0) },
        body: text,
      }))
      const wanted = (path: string): boolean => path.length % 3 !== skipped % 3
      const expected = list.map(({ path, text }) => {
        return { path, kind: 'File', target: '', text: wanted(path) ? text.toWellFormed() : undefined }
      })
      assert.deepEqual(await read(await packTar(entries), pieceBytes, wanted), expected)
    }),
    { numRuns: 60 },
  )
})

for (const format of ['gnu', 'posix', 'ustar', 'v7']) {
  test(`an archive of tar in its format ${format} is read: files, folders and both kinds of links`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'towline-tar-'))
    t.after(() => rmSync(dir, { recursive: true }))
    const long = format === 'gnu' || format === 'posix' ? 'x'.repeat(180) : 'x'.repeat(60)
    mkdirSync(join(dir, 'in', 'sub'), { recursive: true })
    writeFileSync(join(dir, 'in', 'sub', long), 'text')
    symlinkSync(`sub/${long}`, join(dir, 'in', 'soft'))
    const script = `ln in/sub/${long} in/sub/zz && tar --format=${format} --sort=name -cf out.tar -C in .`
    assert.equal(spawnSync('sh', ['-c', script], { cwd: dir }).status, 0)
    assert.deepEqual(await read(readFileSync(join(dir, 'out.tar'))), [
      { path: '', kind: 'Folder', target: '', text: undefined },
      { path: 'soft', kind: 'Link', target: `sub/${long}`, text: undefined },
      { path: 'sub', kind: 'Folder', target: '', text: undefined },
      { path: `sub/${long}`, kind: 'File', target: '', text: 'text' },
      { path: 'sub/zz', kind: 'HardLink', target: `./sub/${long}`, text: undefined },
    ])
  })
}

test('a damaged, a cut off and a too large entry are failures that name the archive', async () => {
  const bytes = await packTar([{ header: { name: 'a', size: 2000 }, body: 'x'.repeat(2000) }])
  await assert.rejects(read(bytes.subarray(0, 1000)), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /a\.tar: it ends in the middle of a$/,
  })
  await assert.rejects(
    read(bytes.subarray(0, 1000), 100, () => false),
    /a\.tar: it ends in the middle of a$/,
  )
  await assert.rejects(read(new Uint8Array(512).fill(65)), /a\.tar: it is no tar archive, or damaged$/)
  await assert.rejects(read(bytes.with(3, 65)), /it is no tar archive, or damaged/)
  for await (const entry of readTar(sourceOf(inPieces(bytes, 512)), 'a.tar'))
    await assert.rejects(entry.read(1999), /a has 2000 bytes, at most 1999 are read/)
})

test('a size that only the binary form of GNU can say is understood', async () => {
  const [header] = [Buffer.from(await packTar([{ header: { name: 'big', size: 0 } }])).subarray(0, 512)]
  header.writeUIntBE(0x80, 124, 1)
  header.writeUIntBE(0, 125, 5)
  header.writeUIntBE(20 * 2 ** 30, 130, 6)
  header.fill(' ', 148, 156)
  header.write(
    `${header
      .reduce((a, b) => a + b, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  const entries = readTar({ read: () => Promise.resolve(header), skip: () => Promise.resolve(true) }, 'a.tar')
  const { value } = await entries.next()
  assert.equal(value?.sizeBytes, 20 * 2 ** 30)
})

/** An archive whose one entry comes after a record of this text, as PAX has it. */
function archiveWithRecord(record: string, header = encodeHeader(plain)): Buffer {
  const block = encodeHeader({ ...plain, path: 'record', sizeBytes: Buffer.byteLength(record) })
  block.write('x', 156)
  block.fill(' ', 148, 156)
  block.write(`${block.reduce((a, b) => a + b, 0).toString(8)}\0 `.padStart(8, '0'), 148)
  const body = Buffer.from(record)
  return Buffer.concat([block, body, paddingFor(body.length), header, Buffer.alloc(1024)])
}

const plain = { kind: 'File', path: 'a', mode: 0o644, sizeBytes: 0, mtimeS: 0 } as const

/** `LENGTH key=value\n`; none of these is longer than 99 bytes. */
const recordOf = (text: string): string => `${text.length + (text.length < 7 ? 3 : 4)} ${text}\n`

for (const size of ['-1536', '-512', ' ', '1.5', '1e3', '0x10', 'NaN', '9'.repeat(20)]) {
  test(`a record that says the size is ${JSON.stringify(size)} is refused, and nothing is read again and again`, async () => {
    const bytes = archiveWithRecord(recordOf(`size=${size}`))
    await assert.rejects(
      read(bytes, 512, () => false),
      {
        code: 'TL_IMAGE_UNREADABLE',
        message: /a\.tar: a has no size that can be read$/,
      },
    )
  })
}

test('records are read to their end, and one that is none, or longer than there is room, is refused', async () => {
  const whole = recordOf('size=9') + recordOf('size=') + recordOf('comment=a=b') + recordOf('path=other')
  assert.deepEqual(await read(archiveWithRecord(whole)), [{ path: 'other', kind: 'File', target: '', text: '' }])
  for (const broken of ['path=other', '-5 path=other', '99 path=other\n', '2 path=other\n', ' =\n', `${whole}\0`])
    await assert.rejects(read(archiveWithRecord(broken)), /a\.tar: a record of it cannot be read$/)
})

test('a link has no content, whatever a record says', async () => {
  const link = encodeHeader({ ...plain, kind: 'Link', target: 'b' })
  const bytes = archiveWithRecord(recordOf('size=512'), Buffer.concat([link, encodeHeader({ ...plain, path: 'c' })]))
  assert.deepEqual(
    (await read(bytes)).map(({ path }) => path),
    ['a', 'c'],
  )
})
