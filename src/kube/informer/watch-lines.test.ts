import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineTooLong, splitLines } from './watch-lines.ts'

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  let from = 0
  for (const size of sizes) yield bytes.subarray(from, (from += size))
  yield bytes.subarray(from)
}

async function collect(chunks: AsyncIterable<Uint8Array>, maxLineBytes?: number): Promise<string[]> {
  const lines: string[] = []
  for await (const line of splitLines(chunks, maxLineBytes)) lines.push(line)
  return lines
}

test('however the bytes are cut, also inside a character, the lines are the same', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''))
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat({ max: 9 })), async (lines, sizes) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''))
      assert.deepEqual(
        await collect(cut(bytes, sizes)),
        lines.filter((text) => text.trim() !== ''),
      )
    }),
  )
})

test('an event that did not arrive whole is none', async () => {
  assert.deepEqual(await collect(cut(Buffer.from('one\ntwo'), [])), ['one'])
})

test('a line without end is refused before it fills the memory', async () => {
  await assert.rejects(collect(cut(Buffer.from('x'.repeat(100)), [10, 10]), 64), LineTooLong)
})
