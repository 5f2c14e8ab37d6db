import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { digestOf } from '../oci/descriptor.ts'
import { gzipName, gzipStream } from './gzip.ts'

async function gzip(chunks: Iterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Readable.from(gzipStream(chunks)).toArray())
}

/** Compressible, but not trivially: the same bytes at every call. */
function makeText(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  let state = 7
  for (let at = 0; at < sizeBytes; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = (state >>> 24) % 23
  }
  return bytes
}

test('what was compressed is read back by zlib, at every size around the block', async () => {
  for (const size of [0, 1, 65_535, 65_536, 65_537, 131_072, 1_048_576 + 3]) {
    const text = makeText(size)
    assert.ok(gunzipSync(await gzip([text])).equals(text), String(size))
  }
})

test('how the input is cut into chunks does not change a byte', async () => {
  const text = makeText(200_000)
  const whole = await gzip([text])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 20 }), async (cuts) => {
      const ends = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      const chunks = ends.slice(1).map((end, index) => text.subarray(ends[index], end))
      assert.ok((await gzip(chunks)).equals(whole))
    }),
    { numRuns: 15 },
  )
})

test('the bytes are these on every machine: no time and no name in the header, and always the same deflate', async () => {
  const packed = await gzip([makeText(300_000)])
  assert.deepEqual([...packed.subarray(0, 10)], [31, 139, 8, 0, 0, 0, 0, 0, 0, 3])
  assert.equal(digestOf(packed), 'sha256:d1244f61eee824c10391e1554042fcd99ac5566b1c5427f92166c1acbc0d2be4')
})

test('other work gets its turn while a large input is compressed', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)
  try {
    await gzip([makeText(4 << 20)])
  } finally {
    clearInterval(timer)
  }
  assert.ok(turns >= 3, `${turns} turns`)
})

test('the name of the bytes says which fflate makes them', () => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { dependencies }: { dependencies: { fflate: string } } = JSON.parse(manifest)
  assert.ok(gzipName.startsWith(`fflate-${dependencies.fflate}-`), gzipName)
})
