import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PodLine, type Told, addTold, createToldFilter, mergeLines, readLogLines } from './log-lines.ts'

const at = (second: number, text: string): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}.5Z ${text}\n`

const gather = async (lines: AsyncIterable<PodLine>): Promise<readonly PodLine[]> => {
  const all: PodLine[] = []
  for await (const line of lines) all.push(line)
  return all
}

const collect = async (lines: AsyncIterable<PodLine>): Promise<string[]> =>
  (await gather(lines)).map(({ pod, text }) => `${pod}: ${text}`)

test('a line that comes in pieces, and text of many bytes cut in the middle, arrive whole', async () => {
  const bytes = Buffer.from(at(1, 'größe 猫') + at(2, 'end'))
  const pieces = async function* () {
    for (let start = 0; start < bytes.length; start += 3) yield await Promise.resolve(bytes.subarray(start, start + 3))
  }
  const lines = await collect(readLogLines('p', pieces()))
  assert.deepEqual(lines, ['p: größe 猫', 'p: end'])
})

test('whoever stops reading closes every stream', async () => {
  const closed: string[] = []
  const endless = async function* (pod: string): AsyncGenerator<PodLine> {
    try {
      for (;;) yield await Promise.resolve({ pod, atMs: 0, time: '', text: 'x' })
    } finally {
      closed.push(pod)
    }
  }
  for await (const _ of mergeLines([endless('a'), endless('b')])) break
  assert.deepEqual(closed.toSorted(), ['a', 'b'])
})

test('a line without an end is cut, and what comes after it is read', async () => {
  const pieces = async function* () {
    yield await Promise.resolve(Buffer.from(`2026-01-01T00:00:01.5Z ${'x'.repeat(100_000)}`))
    for (let count = 0; count < 9; count++) yield Buffer.from('x'.repeat(100_000))
    yield Buffer.from(`\n${at(2, 'short')}`)
  }
  const [long = '', short] = await collect(readLogLines('p', pieces()))
  assert.ok(long.length < 70_000)
  assert.match(long, /x… \(\d+ characters more\)$/)
  const kept = long.length - 'p: '.length - long.slice(long.indexOf('…')).length
  assert.equal(kept + Number(/\((\d+) /.exec(long)?.[1]), 1_000_000)
  assert.equal(short, 'p: short')
})

test('a line without a time has that of the line before, or of where the reading goes on', async () => {
  const bytes = [Buffer.from(`gone\n${at(2, 'two')}gone\n2026-99-99T00:00:00Z no day\n`)]
  const told = { atMs: 7, time: '1970-01-01T00:00:00.007Z', texts: [] }
  const twoMs = Date.UTC(2026, 0, 1, 0, 0, 2, 500)
  const times = async (from?: Told) => (await gather(readLogLines('p', bytes, from))).map(({ atMs }) => atMs)
  assert.deepEqual(await times(told), [7, twoMs, twoMs, twoMs])
  assert.deepEqual(await times(), [0, twoMs, twoMs, twoMs])
})

test('a moment is the same in whatever way it is written', () => {
  const line = (time: string, text: string): PodLine => ({ pod: 'p', atMs: Date.parse(time), time, text })
  const told = addTold(
    addTold(undefined, line('2026-01-01T00:00:01.5Z', 'a')),
    line('2026-01-01T02:00:01.500000000+02:00', 'b'),
  )
  const isTold = createToldFilter(told)
  const again = [
    line('2026-01-01T00:00:01.499999999Z', 'before'),
    line('2026-01-01T00:00:01.500Z', 'a'),
    line('2026-01-01T00:00:01.500000000Z', 'b'),
    line('2026-01-01T00:00:01.500000001Z', 'b'),
  ]
  assert.deepEqual(again.map(isTold), [true, true, true, false])

  // Only the last lines were told, and what stands before them in the same millisecond is not wanted.
  const isBefore = createToldFilter(addTold(undefined, line('2026-01-01T00:00:01.500000005Z', 'last')))
  assert.equal(isBefore(line('2026-01-01T00:00:01.500000001Z', 'not wanted')), true)
})

test('wherever a stream breaks, what follows is told once, in order', () => {
  const spoken = fc.array(fc.record({ nanos: fc.integer({ min: 0, max: 12 }), text: fc.constantFrom('x', 'y', 'z') }), {
    minLength: 1,
    maxLength: 20,
  })
  fc.assert(
    fc.property(spoken, fc.nat(), (said, cut) => {
      // Six nanoseconds to the second, so that moments and seconds are often the same.
      const lines = said
        .toSorted((a, b) => a.nanos - b.nanos)
        .map(({ nanos, text }): PodLine => {
          const time = `1970-01-01T00:00:0${Math.floor(nanos / 6)}.00000000${nanos % 6}Z`
          return { pod: 'p', atMs: Date.parse(time), time, text }
        })
      const before = lines.slice(0, cut % (lines.length + 1))
      const told = before.reduce<Told | undefined>(addTold, undefined)
      const second = Math.floor((told?.atMs ?? 0) / 1000)
      const again = lines.filter(({ atMs }) => atMs >= second * 1000)
      const isTold = createToldFilter(told)
      assert.deepEqual([...before, ...again.filter((line) => !isTold(line))], lines)
    }),
  )
})
