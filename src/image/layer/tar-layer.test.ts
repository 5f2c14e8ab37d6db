import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { unpackTar } from 'modern-tar'
import { digestOf } from '../oci/descriptor.ts'
import type { LayerEntry } from './entry.ts'
import { encodeHeader } from '../tar/header.ts'
import { packLayer } from './tar-layer.ts'

const file = (path: string, text: string, mode: 0o644 | 0o755 = 0o644): LayerEntry => ({
  kind: 'File',
  path,
  mode,
  content: { kind: 'Bytes', bytes: Buffer.from(text) },
})

async function pack(entries: readonly LayerEntry[], mtimeS?: number): Promise<Buffer> {
  return Buffer.concat(await Readable.from(packLayer(entries, mtimeS)).toArray())
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-tar-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('an archive holds each parent once, before what is in it, and its files with their modes', async () => {
  const archive = await pack([
    file('opt/app/run', '#!', 0o755),
    file('opt/app/lib/a.js', 'export {}'),
    { kind: 'Link', path: 'opt/app/current', target: '../app/run' },
    file('etc/x', ''),
  ])
  const read = await unpackTar(archive, { strict: true })
  assert.deepEqual(
    read.map(({ header: { name, mode, type, linkname } }) => [name, mode?.toString(8), type, linkname]),
    [
      ['etc/', '755', 'directory', ''],
      ['etc/x', '644', 'file', ''],
      ['opt/', '755', 'directory', ''],
      ['opt/app/', '755', 'directory', ''],
      ['opt/app/current', '777', 'symlink', '../app/run'],
      ['opt/app/lib/', '755', 'directory', ''],
      ['opt/app/lib/a.js', '644', 'file', ''],
      ['opt/app/run', '755', 'file', ''],
    ],
  )
  for (const { header } of read) {
    assert.deepEqual([header.uid, header.gid, header.uname, header.gname], [0, 0, '', ''])
    assert.equal(header.mtime?.getTime(), 0)
  }
})

test('the bytes never change: two zero blocks at the end, and this digest on every machine', async () => {
  const entries = [
    file('a', 'one'),
    file(`long/${'é'.repeat(60)}/${'x'.repeat(120)}`, 'two'),
    { kind: 'Link', path: 'l', target: `/${'t'.repeat(150)}` } as const,
  ]
  const archive = await pack(entries, 1_700_000_000)
  assert.equal(archive.length % 512, 0)
  assert.ok(archive.subarray(-1024).every((byte) => byte === 0))
  assert.equal(digestOf(archive), 'sha256:a8986a03764af2bc30299e332572a3248df9851d8d836bfd7c9d4702b4559f81')
  assert.equal(digestOf(await pack(entries.toReversed(), 1_700_000_000)), digestOf(archive))
})

test('whatever the paths and contents are, another reader of archives sees them', async () => {
  const part = fc.oneof(fc.stringMatching(/^[a-zé😀 .-]{1,60}$/u), fc.constant('n'.repeat(120)))
  const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.map((name) => `_${name}`).join('/'))
  const content = fc.oneof(fc.string(), fc.constant('z'.repeat(513)))
  await fc.assert(
    fc.asyncProperty(path, content, async (path, content) => {
      const read = await unpackTar(await pack([file(path, content)]), { strict: true })
      const last = read.at(-1)
      assert.equal(last?.header.name, path)
      assert.equal(Buffer.from(last?.data ?? []).toString(), content)
      assert.equal(read.length, path.split('/').length)
    }),
    { numRuns: 60 },
  )
})

test('a large size and a long target are read back from their PAX records', async () => {
  const size = 9 * 2 ** 30
  const header = encodeHeader({ kind: 'File', path: 'big', mode: 0o644, sizeBytes: size, mtimeS: 0 })
  await assert.rejects(unpackTar(Buffer.concat([header, Buffer.alloc(1024)]), { strict: true }), /truncated/)
  const target = `/${'t'.repeat(98)}é`
  const [link] = await unpackTar(await pack([{ kind: 'Link', path: 'l', target }]), { strict: true })
  assert.equal(link?.header.linkname, target)
})

test('a file on disk is read as it was listed; one that changed since is named, with what changed', async (t) => {
  const folder = makeFolder(t)
  const path = join(folder, 'model.onnx')
  writeFileSync(path, 'x'.repeat(3_000_000))
  const entry = (sizeBytes: number, sha256?: string): LayerEntry => ({
    kind: 'File',
    path: 'm',
    mode: 0o644,
    content: { kind: 'Disk', file: path, sizeBytes, ...(sha256 === undefined ? {} : { sha256 }) },
  })
  const [read] = await unpackTar(await pack([entry(3_000_000)]))
  assert.equal(read?.data?.length, 3_000_000)
  await assert.rejects(pack([entry(4)]), { code: 'TL_FILE_UNREADABLE', message: /model\.onnx changed.*had 4 bytes/ })
  await assert.rejects(pack([entry(3_000_000, 'ab')]), { message: /its sha256 was ab and is/ })

  const packing = packLayer([entry(3_000_000)])
  await packing.next()
  await packing.next()
  truncateSync(path, 2_000_000)
  await assert.rejects(Readable.from(packing).toArray(), { message: /ends after 2000000/ })

  const growing = packLayer([entry(2_000_000)])
  await growing.next()
  await growing.next()
  appendFileSync(path, 'more')
  await assert.rejects(Readable.from(growing).toArray(), { message: /written to meanwhile/ })
})

test('a missing file and a folder in its place are failures with the name of the file', async (t) => {
  const folder = makeFolder(t)
  symlinkSync(join(folder, 'none'), join(folder, 'gone'))
  for (const [name, code] of [
    ['gone', 'TL_FILE_MISSING'],
    ['', 'TL_FILE_UNREADABLE'],
  ] as const) {
    const path = join(folder, name)
    const content = { kind: 'Disk', file: path, sizeBytes: 1 } as const
    await assert.rejects(pack([{ kind: 'File', path: 'm', mode: 0o644, content }]), { code, message: new RegExp(path) })
  }
})

test('a time of files that no header can say is refused', async () => {
  for (const mtimeS of [-1, 1.5, Number.NaN, 2 ** 33]) await assert.rejects(pack([], mtimeS), { code: 'TL_USAGE' })
})
