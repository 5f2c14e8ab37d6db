import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { encodeHeader, paddingFor } from '../tar/header.ts'
import type { LockedPackage } from './locked-package.ts'
import { readTarball } from './tarball.ts'

const locked: LockedPackage = { name: 'a', version: '1.0.0', integrity: 'sha512-', path: 'node_modules/a' }

function makeFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-tarball-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'a.tgz')
}

function fileBlocks(path: string, content: Buffer): Buffer {
  const header = encodeHeader({ kind: 'File', path, mode: 0o755, sizeBytes: content.length, mtimeS: 0 })
  return Buffer.concat([header, content, paddingFor(content.length)])
}

function archive(...blocks: readonly Buffer[]): Buffer {
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]), { level: 1 })
}

async function readAll(tarball: string, keep: (path: string) => boolean): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  await readTarball(tarball, locked, (path) => {
    if (!keep(path)) return undefined
    return async (content) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of content) chunks.push(chunk)
      found.set(path, Buffer.concat(chunks))
    }
  })
  return found
}

test('whichever files are kept and however large they are, each comes whole and the others do not', async (t) => {
  const tarball = makeFile(t)
  const file = fc.record({
    sizeBytes: fc.oneof(fc.nat(2000), fc.constantFrom(0, 512, 65_536, 300_000, 1_200_000)),
    isKept: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 12 }), async (files) => {
      const contents = files.map(({ sizeBytes }, index) => Buffer.alloc(sizeBytes, `${index}-`))
      writeFileSync(tarball, archive(...contents.map((content, index) => fileBlocks(`package/d/${index}`, content))))
      const found = await readAll(tarball, (path) => files[Number(path.slice(2))]?.isKept === true)
      const wanted = files.flatMap(({ isKept }, index) => (isKept ? [index] : []))
      assert.deepEqual(
        [...found.keys()],
        wanted.map((index) => `d/${index}`),
      )
      for (const index of wanted) assert.ok(found.get(`d/${index}`)?.equals(contents[index] ?? Buffer.alloc(0)))
    }),
    { numRuns: 25 },
  )
})

test('the first folder may have any name, and folders of their own are passed over', async (t) => {
  const tarball = makeFile(t)
  const folder = encodeHeader({ kind: 'Folder', path: 'node-types', mode: 0o755, sizeBytes: 0, mtimeS: 0 })
  writeFileSync(tarball, archive(folder, fileBlocks('node-types/x/y.js', Buffer.from('y'))))
  assert.deepEqual([...(await readAll(tarball, () => true))], [['x/y.js', Buffer.from('y')]])
})

test('links, paths that lead out and files that are there twice are refused, kept or not', async (t) => {
  const tarball = makeFile(t)
  const link = { kind: 'Link', path: 'package/l', target: '/etc/passwd', mode: 0o777, sizeBytes: 0, mtimeS: 0 } as const
  const one = fileBlocks('package/a', Buffer.from('1'))
  const hostile: readonly (readonly [Buffer, RegExp])[] = [
    [archive(encodeHeader(link)), /"package\/l", a link/],
    [archive(fileBlocks('package/../../etc/cron', Buffer.from('x'))), /has a part that is/],
    [archive(fileBlocks('../a', Buffer.from('x'))), /lies in no folder/],
    [archive(fileBlocks('/etc/cron', Buffer.from('x'))), /lies in no folder/],
    [archive(fileBlocks('alone', Buffer.from('x'))), /lies in no folder/],
    [archive(fileBlocks('package/.wh.node', Buffer.from('x'))), /deletes files/],
    [archive(one, one), /"package\/a" twice/],
  ]
  for (const [bytes, message] of hostile) {
    writeFileSync(tarball, bytes)
    for (const isKept of [true, false])
      await assert.rejects(
        readAll(tarball, () => isKept),
        { code: 'TL_PACKAGE_MISMATCH', message },
      )
  }
})

test('a tarball that is no tarball, is cut off or damaged is refused and nothing hangs', async (t) => {
  const tarball = makeFile(t)
  const whole = archive(
    fileBlocks('package/big', Buffer.alloc(900_000, 'abc')),
    fileBlocks('package/b', Buffer.from('2')),
  )
  const cut = gzipSync(Buffer.concat([fileBlocks('package/big', Buffer.alloc(5000, 'abc'))]).subarray(0, 3000))
  for (const bytes of [Buffer.from('no'), whole.subarray(0, whole.length / 2), cut, gzipSync(Buffer.alloc(700, 'x'))]) {
    writeFileSync(tarball, bytes)
    await assert.rejects(
      readAll(tarball, () => true),
      { code: 'TL_PACKAGE_MISMATCH', message: /cannot be read/ },
    )
  }
})

test('what the taker of a file throws is what the reader throws', async (t) => {
  const tarball = makeFile(t)
  const files = Array.from({ length: 20 }, (_, index) =>
    fileBlocks(`package/${index}`, Buffer.alloc(400_000, `${index}`)),
  )
  writeFileSync(tarball, archive(...files))
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  await assert.rejects(
    readTarball(tarball, locked, () => () => Promise.reject(full)),
    full,
  )
})
