import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { identifyProcess } from '../../base/process/process-identity.ts'
import type { Clock } from '../../base/clock.ts'
import { inTurn } from './turn.ts'

function temporaryFile(t: TestContext): { readonly dir: string; readonly file: string } {
  const dir = mkdtempSync(join(tmpdir(), 'towline-turn-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return { dir, file: join(dir, '.turn') }
}

/** A clock on which nothing takes real time, and a sleep is long. */
function quickClock(): Clock {
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += 20 * ms
      await nextTurn()
    },
  }
}

test('twenty at once work one after the other, and nothing is left behind', async (t) => {
  const { dir, file } = temporaryFile(t)
  let working = 0
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      inTurn(
        file,
        async () => {
          working += 1
          assert.equal(working, 1)
          await nextTurn()
          working -= 1
          return at
        },
        { ...quickClock(), monotonicMs: () => 0 },
      ),
    ),
  )
  assert.deepEqual(results, [...Array(20).keys()])
  assert.deepEqual(readdirSync(dir), [])
})

test('a failure ends the turn too', async (t) => {
  const { dir, file } = temporaryFile(t)
  await assert.rejects(
    inTurn(file, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.deepEqual(readdirSync(dir), [])
})

test('the turn of a process that has ended is over for everybody, and for one at a time', async (t) => {
  const { dir, file } = temporaryFile(t)
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const identity = identifyProcess(child.pid ?? 0) ?? assert.fail('it runs')
  writeFileSync(file, JSON.stringify({ ...identity, host: hostname(), id: 'ended' }))
  child.kill('SIGKILL')
  await once(child, 'close')
  let working = 0
  const work = async (): Promise<void> => {
    working += 1
    assert.equal(working, 1)
    await nextTurn()
    working -= 1
  }
  await Promise.all(Array.from({ length: 10 }, () => inTurn(file, work, { ...quickClock(), monotonicMs: () => 0 })))
  assert.deepEqual(readdirSync(dir), [])
})

for (const [who, ticket] of [
  ['runs', { ...identifyProcess(process.pid), host: hostname(), id: 'other' }],
  ['is on another machine', { pid: 1, startTicks: 1, host: 'elsewhere', id: 'other' }],
] as const) {
  test(`a holder that ${who} is waited for, and named in the end`, async (t) => {
    const { dir, file } = temporaryFile(t)
    writeFileSync(file, JSON.stringify(ticket))
    await assert.rejects(
      inTurn(file, () => assert.fail('it is not its turn'), quickClock()),
      { code: 'TL_FILE_UNWRITABLE', message: /\.turn has been held for 60 s by \{"pid":\d+/ },
    )
    assert.equal(readFileSync(file, 'utf8'), JSON.stringify(ticket))
    assert.deepEqual(readdirSync(dir), ['.turn'])
  })
}
