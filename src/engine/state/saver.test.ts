import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { TowlineError } from '../../base/errors.ts'
import { createSaver } from './saver.ts'

test('a write that the disk refuses is kept and tried again, only the latest for each key', () => {
  const lines: string[] = []
  const saver = createSaver(pino({}, { write: (line: string) => lines.push(line) }))
  const disk = { full: true, written: [] as string[] }
  const write = (text: string) => (): void => {
    if (disk.full) throw new TowlineError('TL_DISK_FULL', 'x')
    disk.written.push(text)
  }
  saver.save('a', write('a1'))
  saver.save('a', write('a2'))
  saver.save('b', write('b1'))
  saver.retry(10_000)
  assert.deepEqual(disk.written, [])
  disk.full = false
  saver.retry(10_500)
  assert.deepEqual(disk.written, [], 'not at each look')
  saver.retry(11_000)
  saver.retry(20_000)
  assert.deepEqual(disk.written, ['a2', 'b1'])
  assert.equal(lines.length, 2, 'told once for each key')
})

test('a bug is not swallowed', () => {
  const saver = createSaver(pino({ enabled: false }))
  assert.throws(() => saver.save('a', () => assert.fail('bug')), assert.AssertionError)
})
