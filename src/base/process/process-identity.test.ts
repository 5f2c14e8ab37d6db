import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { identifyProcess, isRunning } from './process-identity.ts'

test('a process is known by pid and start time, and gone once it has ended', async () => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const identity = identifyProcess(child.pid ?? 0) ?? assert.fail('it runs')
  assert.equal(isRunning(identity), true)
  assert.equal(isRunning({ ...identity, startTicks: identity.startTicks - 1 }), false)
  child.kill('SIGKILL')
  await once(child, 'close')
  assert.equal(isRunning(identity), false)
})
