import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessExit } from '../supervised-process.ts'
import { explainExit, lastLine } from './exit-reason.ts'

const explain = (exit: ProcessExit, stderrTail = '') =>
  explainExit({ exit, announcement: undefined, stderrTail, logFile: '/logs/a.log', atMs: 5 })

test('a kill is told with its number, its name and who may have done it', () => {
  const { failure, hopeless } = explain({ kind: 'Signal', signal: 'SIGKILL' })
  assert.equal(failure.reason, 'Killed')
  assert.equal(
    failure.message,
    'killed by signal 9 (SIGKILL), for instance by the kernel when memory ran out, or by hand',
  )
  assert.equal(failure.atMs, 5)
  assert.equal(hopeless, false)
  assert.match(
    explain({ kind: 'Signal', signal: 'SIGSEGV' }).failure.message,
    /signal 11 \(SIGSEGV\): native code failed/,
  )
})

test('a crash is told with its exit code and the error that the process printed last', () => {
  const stderr =
    'file:///a.js:3\n  throw new Error\n\nTypeError: x is not a function\n    at a (b:1:2)\n\nNode.js v24.21.0\n'
  const { failure } = explain({ kind: 'Code', code: 1 }, stderr)
  assert.equal(failure.reason, 'Crashed')
  assert.equal(failure.message, 'it ended with exit code 1; its last words: TypeError: x is not a function')
  assert.equal(failure.hint, '/logs/a.log may say more')
})

test('an exit that nobody saw is not made up', () => {
  assert.match(explain({ kind: 'Unseen' }).failure.message, /its exit code is unknown, because an earlier engine/)
})

test('what the replica itself announced comes first, and tells whether another try can help', () => {
  const failed = (code: 'TL_MODEL_UNLOADABLE' | 'TL_DISK_FULL') =>
    explainExit({
      exit: { kind: 'Code', code: 1 },
      announcement: { pid: 1, startTicks: 2, state: 'Failed', code, message: 'no such operator' },
      stderrTail: 'noise',
      logFile: '/logs/a.log',
      atMs: 5,
    })
  assert.deepEqual(failed('TL_MODEL_UNLOADABLE'), {
    failure: { reason: 'ModelUnloadable', message: 'no such operator', hint: null, atMs: 5 },
    hopeless: true,
  })
  assert.equal(failed('TL_DISK_FULL').hopeless, false)
})

test('the last line is bounded and skips stack frames', () => {
  assert.equal(lastLine(''), '')
  assert.equal(lastLine('abort: memory\n   at x\n'), 'abort: memory')
  assert.equal(lastLine('x'.repeat(1000)).length, 300)
})
