import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '../../base/clock.ts'
import { digestOf } from '../oci/descriptor.ts'
import type { LayerEntry } from './entry.ts'
import { type LayerCache, openLayerCache } from './layer-cache.ts'

const dayMs = 86_400_000
const startMs = Date.UTC(2026, 0, 1)
const options = { compression: 'Gzip', mtimeS: 0 } as const

interface Rig {
  readonly folder: string
  readonly cache: LayerCache
  setNow(nowMs: number): void
}

function makeRig(t: TestContext): Rig {
  const folder = mkdtempSync(join(tmpdir(), 'towline-layers-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let nowMs = startMs
  const clock: Clock = { ...systemClock, nowMs: () => nowMs }
  return { folder, cache: openLayerCache(folder, clock), setNow: (ms) => (nowMs = ms) }
}

const text = (content: string, mode: 0o644 | 0o755 = 0o644, path = 'a'): LayerEntry => ({
  kind: 'File',
  path,
  mode,
  content: { kind: 'Bytes', bytes: Buffer.from(content) },
})
const disk = (file: string, sizeBytes: number): LayerEntry => ({
  kind: 'File',
  path: 'a',
  mode: 0o644,
  content: { kind: 'Disk', file, sizeBytes },
})

test('the same entries are built once, wherever their contents come from', async (t) => {
  const { folder, cache } = makeRig(t)
  const file = join(folder, 'source')
  writeFileSync(file, 'hello')
  const first = await cache.build([text('hello')], options)
  const again = await cache.build([disk(file, 5)], options)
  assert.equal(first.isRemembered, false)
  assert.deepEqual(again, { ...first, isRemembered: true })
  assert.ok(existsSync(cache.blobs.pathOf(first.descriptor.digest)))
})

test('anything that changes the bytes is another layer', async (t) => {
  const { folder, cache } = makeRig(t)
  const file = join(folder, 'source')
  writeFileSync(file, 'hello')
  await cache.build([disk(file, 5)], options)
  writeFileSync(file, 'jello')
  const others = [
    await cache.build([disk(file, 5)], options),
    await cache.build([text('hello', 0o755)], options),
    await cache.build([text('hello', 0o644, 'b')], options),
    await cache.build([text('hello')], { ...options, mtimeS: 1 }),
    await cache.build([text('hello')], { ...options, compression: 'None' }),
    await cache.build([{ kind: 'Link', path: 'a', target: 'hello' }], options),
  ]
  assert.ok(others.every(({ isRemembered }) => !isRemembered))
  assert.equal(new Set(others.map(({ descriptor }) => descriptor.digest)).size, others.length)
})

test('a damaged or missing blob, and a damaged record, are built again', async (t) => {
  const { folder, cache } = makeRig(t)
  const { descriptor } = await cache.build([text('hello')], options)
  const blob = cache.blobs.pathOf(descriptor.digest)
  const [record = ''] = readdirSync(join(folder, 'layers'))
  const damages = [
    () => rmSync(blob),
    () => truncateSync(blob, 3),
    () => writeFileSync(blob, Buffer.alloc(descriptor.size)),
    () => writeFileSync(join(folder, 'layers', record), '{"descriptor":'),
    () => writeFileSync(join(folder, 'layers', record), '{"descriptor":{"digest":"../../x"}}'),
  ]
  for (const damage of damages) {
    damage()
    assert.equal((await cache.build([text('hello')], options)).isRemembered, false)
    assert.equal((await cache.build([text('hello')], options)).isRemembered, true)
    assert.equal(digestOf(Buffer.concat(await collect(cache.blobs.open(descriptor)))), descriptor.digest)
  }
})

test('two caches on one folder build the same layer at once and both have it', async (t) => {
  const { folder, cache } = makeRig(t)
  const other = openLayerCache(folder)
  const big = text('z'.repeat(100_000))
  const built = await Promise.all([cache.build([big], options), other.build([big], options)])
  assert.deepEqual(built[0].descriptor, built[1].descriptor)
  assert.deepEqual(readdirSync(join(folder, 'scratch')), [])
})

test('what nobody used for thirty days is removed; using a layer counts', async (t) => {
  const { folder, cache, setNow } = makeRig(t)
  const used = await cache.build([text('used')], options)
  const idle = await cache.build([text('idle')], options)
  setNow(startMs + 20 * dayMs)
  await cache.build([text('used')], options)
  const oldS = startMs / 1000
  for (const { descriptor } of [used, idle]) utimesSync(cache.blobs.pathOf(descriptor.digest), oldS, oldS)
  writeFileSync(join(folder, 'scratch', 'left.draft'), '')
  utimesSync(join(folder, 'scratch', 'left.draft'), oldS, oldS)

  await cache.prune(startMs + 29 * dayMs)
  assert.equal(readdirSync(join(folder, 'layers')).length, 2)
  await cache.prune(startMs + 31 * dayMs)
  assert.ok(existsSync(cache.blobs.pathOf(used.descriptor.digest)))
  assert.ok(!existsSync(cache.blobs.pathOf(idle.descriptor.digest)))
  assert.equal(readdirSync(join(folder, 'layers')).length, 1)
  assert.deepEqual(readdirSync(join(folder, 'scratch')), [])
})

test('beyond four gibibytes the layers used longest ago go, but never one of the last hour', async (t) => {
  const { folder, cache, setNow } = makeRig(t)
  const grow = async (name: string, nowMs: number): Promise<string> => {
    setNow(nowMs)
    const { descriptor } = await cache.build([text(name)], options)
    const record = join(folder, 'layers', `${name}.json`)
    // A record of three gibibytes: the size is what the record says.
    const layer = { descriptor: { ...descriptor, size: 3 * 2 ** 30 }, diffId: descriptor.digest, unpackedBytes: 1 }
    for (const file of readdirSync(join(folder, 'layers')).filter((file) => file.length > 60))
      rmSync(join(folder, 'layers', file))
    writeFileSync(record, JSON.stringify(layer))
    utimesSync(record, nowMs / 1000, nowMs / 1000)
    return record
  }
  const records = [
    await grow('oldest', startMs),
    await grow('older', startMs + dayMs),
    await grow('newer', startMs + 2 * dayMs - 60_000),
    await grow('newest', startMs + 2 * dayMs),
  ]
  await cache.prune(startMs + 2 * dayMs)
  assert.deepEqual(records.map(existsSync), [false, false, true, true])
})

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}
