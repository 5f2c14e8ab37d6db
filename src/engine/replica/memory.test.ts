import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outOfMemory, parseResidentBytes, readResidentBytes } from './memory.ts'

test('resident memory is read from the kernel, and a process that is gone has none', () => {
  const bytes = readResidentBytes(process.pid) ?? 0
  assert.ok(bytes > 10 << 20 && bytes < 64 * 2 ** 30, String(bytes))
  assert.equal(readResidentBytes(2 ** 30), undefined)
  assert.equal(parseResidentBytes('Name:\tnode\nState:\tZ (zombie)\n'), undefined)
})

test('a replica over its limit is told with both numbers and a limit that would do', () => {
  const failure = outOfMemory(1200e6, 1 << 30, 7)
  assert.equal(failure.reason, 'OutOfMemory')
  assert.equal(failure.message, 'it used 1.2 GB of memory, more than its limit of 1.1 GB')
  assert.equal(failure.hint, 'resources.memory: 1472Mi, or send smaller batches')
})
