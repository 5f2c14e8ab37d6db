import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
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
      await nextTurn()
      nowMs += 20 * ms
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

const elsewhere = { pid: 1, startTicks: 1, host: 'elsewhere', id: 'other' }

for (const [who, ticket] of [
  ['runs', { ...identifyProcess(process.pid), host: hostname(), id: 'other' }],
  ['is on another machine and renews its turn', elsewhere],
] as const) {
  test(`a holder that ${who} is waited for, and named in the end`, async (t) => {
    const { dir, file } = temporaryFile(t)
    writeFileSync(file, JSON.stringify(ticket))
    const clock = quickClock()
    const renewed: Clock = {
      ...clock,
      sleep: (ms) => {
        if (ticket === elsewhere) utimesSync(file, clock.nowMs(), clock.nowMs())
        return clock.sleep(ms)
      },
    }
    await assert.rejects(
      inTurn(file, () => assert.fail('it is not its turn'), renewed),
      { code: 'TL_FILE_UNWRITABLE', message: /\.turn has been held for 60 s by \{"pid":\d+/ },
    )
    assert.equal(readFileSync(file, 'utf8'), JSON.stringify(ticket))
    assert.deepEqual(readdirSync(dir), ['.turn'])
  })
}

for (const [what, ticket] of [
  ['of a killed container', JSON.stringify(elsewhere)],
  ['that nobody can read', '{"pid":'],
] as const) {
  test(`a turn ${what} is taken over after fifteen seconds without a renewal, and not before`, async (t) => {
    const { dir, file } = temporaryFile(t)
    writeFileSync(file, ticket)
    const clock = quickClock()
    const atMs = await inTurn(file, () => Promise.resolve(clock.monotonicMs()), clock)
    assert.ok(atMs >= 15_000 && atMs < 17_000, `after ${atMs} ms`)
    assert.deepEqual(readdirSync(dir), [])
  })
}

test('a turn is renewed as long as it is held', async (t) => {
  const { file } = temporaryFile(t)
  const clock = quickClock()
  const seen = new Set<bigint>()
  await inTurn(
    file,
    async () => {
      while (seen.size < 4) {
        seen.add(statSync(file, { bigint: true }).mtimeNs)
        await nextTurn()
      }
    },
    clock,
  )
  assert.ok(clock.nowMs() >= 3 * 3000)
})

test('whoever lost a turn hears of it before writing, and leaves the next one its own', async (t) => {
  const { file } = temporaryFile(t)
  const theirs = JSON.stringify(elsewhere)
  await assert.rejects(
    inTurn(file, async (check) => {
      check()
      writeFileSync(`${file}.next`, theirs)
      renameSync(`${file}.next`, file)
      check()
    }),
    { code: 'TL_FILE_UNWRITABLE', message: /\.turn was taken over/ },
  )
  assert.equal(readFileSync(file, 'utf8'), theirs)
})
