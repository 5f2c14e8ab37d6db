import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { watchOutput } from './lost-output.ts'

const main = join(import.meta.dirname, '../main.ts')

function begin(...args: string[]) {
  const streams = { stdout: new EventEmitter(), stderr: new EventEmitter() }
  const exits: unknown[] = []
  const said: string[] = []
  const exit = (code?: unknown): never => void exits.push(code) as never
  const process = { ...streams, exit } as unknown as Parameters<typeof watchOutput>[0]
  const isLost = watchOutput(process, args, (failure) => void said.push(String(failure)))
  const fail = (code: string): void => void streams.stdout.emit('error', Object.assign(new Error(code), { code }))
  return { ...streams, fail, exits, said, isLost }
}

test('whoever only tells something ends well when nobody reads any more', () => {
  for (const args of [['logs', '-f'], ['deploy', '--help'], []]) {
    const { fail, exits, said, isLost } = begin(...args)
    fail('EPIPE')
    assert.deepEqual([exits, said, isLost()], [[0], [], false], args.join(' '))
  }
})

test('what was asked for is done without a reader, on either stream', () => {
  const { fail, stderr, exits, said, isLost } = begin('deploy', 'cats.yaml')
  fail('EPIPE')
  fail('ERR_STREAM_DESTROYED')
  stderr.emit('error', Object.assign(new Error('EPIPE'), { code: 'EPIPE' }))
  assert.deepEqual([exits, said, isLost()], [[], [], false])
})

test('a full disk is said once; what only tells something ends, the rest goes on and fails at its end', () => {
  const teller = begin('render')
  teller.fail('ENOSPC')
  assert.deepEqual(teller.exits, [1])
  const doer = begin('deploy')
  doer.fail('ENOSPC')
  doer.fail('ENOSPC')
  assert.deepEqual([doer.exits, doer.said.length, doer.isLost()], [[], 1, true])
  assert.match(doer.said.join(), /The disk is full: writing the output/)
})

test('a command whose output goes to a full disk fails with words instead of a stack', () => {
  const full = openSync('/dev/full', 'w')
  try {
    const { status, stderr } = spawnSync(process.execPath, [main, 'completion', 'bash'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    })
    assert.equal(status, 1)
    assert.match(stderr, /^error TL_DISK_FULL: The disk is full: writing the output\n {2}hint: /)
  } finally {
    closeSync(full)
  }
})
