import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { LayerEntry } from '../layer/entry.ts'
import { packLayer } from '../layer/tar-layer.ts'
import { retryMended } from '../mended-cache.ts'
import type { LockedPackage } from './locked-package.ts'
import type { FetchPackages } from './npm-fetch.ts'
import { openPackageCache } from './package-cache.ts'
import { packageEntries } from './package-files.ts'
import type { KeptFiles } from './unpacked-package.ts'

interface Packed {
  readonly locked: LockedPackage
  readonly bytes: Buffer
}

async function packPackage(name: string, files: Readonly<Record<string, string>>): Promise<Packed> {
  const entries = Object.entries(files).map(([path, text]): LayerEntry => ({
    kind: 'File',
    path: `package/${path}`,
    mode: 0o755,
    content: { kind: 'Bytes', bytes: Buffer.from(text, 'latin1') },
  }))
  const bytes = gzipSync(Buffer.concat(await Readable.from(packLayer(entries)).toArray()))
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  return { locked: { name, version: '1.2.3', integrity, path: `node_modules/${name}` }, bytes }
}

/** A registry with these packages, and what was asked of it. */
function makeRegistry(packed: readonly Packed[]): { readonly fetch: FetchPackages; readonly asked: string[][] } {
  const asked: string[][] = []
  return {
    asked,
    fetch: async (packages, folder) => {
      asked.push(packages.map(({ name }) => name))
      return packages.map(({ name }) => {
        const file = join(folder, `${name.replace('/', '-')}.tgz`)
        writeFileSync(file, packed.find(({ locked }) => locked.name === name)?.bytes ?? 'none')
        return file
      })
    },
  }
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-packages-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const elf = '\x7fELF\x02\x01'
const samples = {
  tool: {
    'package.json': '{"name":"tool","bin":{"tool":"./bin/tool","wrap":"bin/wrap.js"}}',
    'bin/tool': elf,
    'bin/wrap.js': '#!/usr/bin/env node',
    'lib/binding.node': elf,
    'README.md': 'no',
  },
  '@scope/lib': { 'package.json': '{}', 'index.js': 'module.exports = 1', 'index.d.ts': 'export {}' },
}
const packSamples = (): Promise<Packed[]> =>
  Promise.all(Object.entries(samples).map(([name, files]) => packPackage(name, files)))
const rule = (key: string, keeps: KeptFiles['keeps']) => (): KeptFiles => ({ key, keeps })
const keepCode = rule('code', (path) => !/\.(md|d\.ts)$/.test(path))

test('kept files lie where the lock puts their package, and only native programs of `bin` can be executed', async (t) => {
  const packed = await packSamples()
  const cache = openPackageCache(makeFolder(t), makeRegistry(packed))
  const locked = packed.map(({ locked }) => locked)
  const entries = await packageEntries(cache, locked, keepCode, 'opt/towline')
  assert.deepEqual(
    entries.map(({ path, mode }) => `${mode.toString(8)} ${path}`),
    [
      '755 opt/towline/node_modules/tool/bin/tool',
      '644 opt/towline/node_modules/tool/bin/wrap.js',
      '644 opt/towline/node_modules/tool/lib/binding.node',
      '644 opt/towline/node_modules/tool/package.json',
      '644 opt/towline/node_modules/@scope/lib/index.js',
      '644 opt/towline/node_modules/@scope/lib/package.json',
    ],
  )
  const archive = Buffer.concat(await Readable.from(packLayer(entries)).toArray())
  assert.ok(archive.includes('module.exports = 1'), 'sizes and hashes of the entries are those of the files')
})

test('the names of programs are known when package.json itself is not kept', async (t) => {
  const packed = await packSamples()
  const cache = openPackageCache(makeFolder(t), makeRegistry(packed))
  const [tool] = await packageEntries(
    cache,
    [packed[0]?.locked ?? fail()],
    rule('tool', (path) => path === 'bin/tool'),
    'o',
  )
  assert.equal(tool?.mode, 0o755)
})

test('everything missing is fetched in one go, and a second build reads neither registry nor tarball', async (t) => {
  const folder = makeFolder(t)
  const packed = await packSamples()
  const { fetch, asked } = makeRegistry(packed)
  const locked = packed.map(({ locked }) => locked)
  const first = await packageEntries(openPackageCache(folder, { fetch }), locked, keepCode, 'o')
  assert.deepEqual(asked, [['tool', '@scope/lib']])
  rmSync(join(folder, 'tarballs'), { recursive: true })
  assert.deepEqual(await packageEntries(openPackageCache(folder, { fetch }), locked, keepCode, 'o'), first)
  assert.equal(asked.length, 1)
})

test('other kept files come from the tarball that is there', async (t) => {
  const packed = await packSamples()
  const { fetch, asked } = makeRegistry(packed)
  const cache = openPackageCache(makeFolder(t), { fetch })
  const locked = packed.map(({ locked }) => locked)
  await packageEntries(cache, locked, keepCode, 'o')
  const all = await packageEntries(
    cache,
    locked,
    rule('all', () => true),
    'o',
  )
  assert.equal(all.length, 8)
  assert.equal(asked.length, 1)
})

test('what the registry gives instead of the locked package is not kept, and both digests are named', async (t) => {
  const folder = makeFolder(t)
  const packed = await packSamples()
  const { locked } = packed[0] ?? fail()
  const other = await packPackage('tool', { 'package.json': '{"evil":true}' })
  const cache = openPackageCache(folder, makeRegistry([other]))
  await assert.rejects(cache.get([locked]), (error: Error) => {
    assert.match(error.message, /tool@1\.2\.3/)
    assert.ok(error.message.includes(locked.integrity) && error.message.includes(other.locked.integrity))
    return 'code' in error && error.code === 'TL_PACKAGE_MISMATCH'
  })
  assert.deepEqual(readdirSync(join(folder, 'tarballs')), [])
})

test('an integrity that is no sha512 is refused before anything is fetched', async (t) => {
  const { fetch, asked } = makeRegistry([])
  const cache = openPackageCache(makeFolder(t), { fetch })
  const locked = { name: 'old', version: '1.0.0', integrity: 'sha1-abc', path: 'node_modules/old' }
  await assert.rejects(cache.get([locked]), { code: 'TL_PACKAGE_MISMATCH', message: /"sha1-abc"/ })
  assert.deepEqual(asked, [])
})

test('a damaged tarball is fetched again, and a damaged unpacked file is unpacked again', async (t) => {
  const folder = makeFolder(t)
  const packed = await packSamples()
  const { fetch, asked } = makeRegistry(packed)
  const cache = openPackageCache(folder, { fetch })
  const locked = packed.map(({ locked }) => locked)
  const [tarball = ''] = await cache.get(locked)
  writeFileSync(tarball, 'damaged')
  const first = await packageEntries(cache, locked, keepCode, 'o')
  assert.deepEqual(asked, [['tool', '@scope/lib'], ['tool']])
  const [entry] = first
  assert.ok(entry?.content.kind === 'Disk')
  truncateSync(entry.content.file, 1)
  assert.deepEqual(await packageEntries(cache, locked, keepCode, 'o'), first)
  assert.equal(readFileSync(entry.content.file, 'latin1'), elf)
})

test('an unpacked file with a flipped bit is found by whoever reads it, and unpacked again', async (t) => {
  const packed = await packSamples()
  const { fetch, asked } = makeRegistry(packed)
  const cache = openPackageCache(makeFolder(t), { fetch })
  const locked = packed.map(({ locked }) => locked)
  const build = async (): Promise<Buffer> =>
    Buffer.concat(await Readable.from(packLayer(await packageEntries(cache, locked, keepCode, 'o'))).toArray())
  const whole = await build()
  const [entry] = await packageEntries(cache, locked, keepCode, 'o')
  assert.ok(entry?.content.kind === 'Disk')
  const { file } = entry.content
  writeFileSync(file, Buffer.from(readFileSync(file)).fill(1, 0, 1))
  await assert.rejects(build(), { code: 'TL_FILE_UNREADABLE' })
  assert.deepEqual(await retryMended(cache, build), whole)
  assert.equal(await cache.removeDamaged(), 0)
  const list = join(dirname(dirname(dirname(file))), 'files.json')
  writeFileSync(list, readFileSync(list, 'utf8').replace('"mode":493', '"mode":"x"'))
  assert.deepEqual(await build(), whole)
  assert.equal(asked.length, 1, 'its tarball was there')
})

test('two builds at once on one folder both get their files, and no draft stays behind', async (t) => {
  const folder = makeFolder(t)
  const packed = await packSamples()
  const { fetch } = makeRegistry(packed)
  const locked = packed.map(({ locked }) => locked)
  const build = (): Promise<readonly LayerEntry[]> =>
    packageEntries(openPackageCache(folder, { fetch }), locked, keepCode, 'o')
  const [first, second] = await Promise.all([build(), build()])
  assert.deepEqual(first, second)
  const names = readdirSync(folder, { recursive: true }) as string[]
  assert.deepEqual(
    names.filter((name) => /draft|fetching|damaged/.test(name)),
    [],
  )
})

function fail(): never {
  throw new Error('no sample')
}
