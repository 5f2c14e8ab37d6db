import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { TowlineError } from '../base/errors.ts'
import { migrations } from './migrations.ts'
import { openStore } from './store.ts'

function stateFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'state.sqlite')
}

const failsWith = (code: string) => (error: unknown) => error instanceof TowlineError && error.code === code

test('it does what a map of maps does, also when closed and opened again', (t) => {
  const file = stateFile(t)
  const word = fc.constantFrom('a', 'b', 'ä/ö', '')
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('put' as const), kind: word, key: word, value: fc.jsonValue() }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), kind: word, key: word }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const model = new Map<string, unknown>()
      let store = openStore(file)
      for (const kind of ['a', 'b', 'ä/ö', '']) for (const { key } of store.list(kind)) store.delete(kind, key)
      for (const step of steps) {
        if (step.do === 'reopen') {
          store.close()
          store = openStore(file)
          continue
        }
        const id = JSON.stringify([step.kind, step.key])
        if (step.do === 'delete') assert.equal(store.delete(step.kind, step.key), model.delete(id))
        else {
          store.put(step.kind, step.key, step.value)
          model.set(id, JSON.parse(JSON.stringify(step.value)))
        }
        assert.deepEqual(store.get(step.kind, step.key), model.get(id))
      }
      for (const kind of ['a', 'b', 'ä/ö', '']) {
        const expected = [...model].filter(([id]) => JSON.parse(id)[0] === kind).length
        const rows = store.list(kind)
        assert.equal(rows.length, expected)
        for (const { key, value } of rows) assert.deepEqual(value, model.get(JSON.stringify([kind, key])))
      }
      store.close()
    }),
    { numRuns: 15 },
  )
})

test('a second holder is refused until the first lets go', (t) => {
  const file = stateFile(t)
  const first = openStore(file)
  assert.throws(() => openStore(file), failsWith('TL_ENGINE_RUNNING'))
  first.close()
  openStore(file).close()
})

test('only its owner can read the file', (t) => {
  const file = stateFile(t)
  openStore(file).close()
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('a file that is no database, a damaged one and one from the future are refused with a way out', (t) => {
  const text = stateFile(t)
  writeFileSync(text, 'this is a text and no database, and longer than the header of one '.repeat(20))
  assert.throws(
    () => openStore(text),
    (error) => failsWith('TL_STATE_UNUSABLE')(error) && /move .* away/.test((error as TowlineError).hint ?? ''),
  )

  const cut = stateFile(t)
  const store = openStore(cut)
  for (let index = 0; index < 200; index++) store.put('service', `s${index}`, 'x'.repeat(500))
  store.close()
  truncateSync(cut, 20_000)
  assert.throws(() => openStore(cut), failsWith('TL_STATE_UNUSABLE'))

  const future = stateFile(t)
  const database = new DatabaseSync(future)
  database.exec('PRAGMA user_version = 99')
  database.close()
  assert.throws(() => openStore(future), failsWith('TL_STATE_UNUSABLE'))
})

test('a folder that is not there is said to be the trouble', (t) => {
  assert.throws(() => openStore(join(stateFile(t), 'missing', 'state.sqlite')), failsWith('TL_FILE_UNWRITABLE'))
})

test('what was acknowledged before a kill -9 is there afterwards, and the lock is free', async (t) => {
  const file = stateFile(t)
  const script = `
    const { openStore } = await import(${JSON.stringify(new URL('./store.ts', import.meta.url).href)})
    const store = openStore(${JSON.stringify(file)})
    for (let count = 1; ; count++) {
      store.put('count', String(count), { count })
      process.stdout.write(count + '\\n')
      await new Promise(setImmediate)
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let acknowledged = 0
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line)
    if (acknowledged === 25) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const store = openStore(file)
  t.after(() => store.close())
  assert.ok(acknowledged >= 25)
  for (let count = 1; count <= acknowledged; count++) assert.deepEqual(store.get('count', String(count)), { count })
})

test('a list keeps its last values in their order, also when the file is opened again', (t) => {
  const file = stateFile(t)
  const first = openStore(file)
  assert.deepEqual(first.tail('a', 10), [])
  for (let value = 1; value <= 7; value++) first.append('a', { value }, 5)
  first.append('b', 'other', 5)
  first.close()
  const second = openStore(file)
  t.after(() => second.close())
  assert.deepEqual(
    second.tail('a', 10),
    [3, 4, 5, 6, 7].map((value) => ({ value })),
  )
  assert.deepEqual(second.tail('a', 2), [{ value: 6 }, { value: 7 }])
  second.clear('a')
  assert.deepEqual([second.tail('a', 2), second.tail('b', 2)], [[], ['other']])
})

test('a file of every earlier version is brought to the present one with all that was in it', (t) => {
  for (let version = 1; version < migrations.length; version++) {
    const file = stateFile(t)
    const database = new DatabaseSync(file)
    for (const step of migrations.slice(0, version)) database.exec(step)
    database.exec(`INSERT INTO document VALUES ('service', 'cats', '{"port":8080}'); PRAGMA user_version = ${version}`)
    database.close()
    const store = openStore(file)
    assert.deepEqual(store.list('service'), [{ key: 'cats', value: { port: 8080 } }], `from version ${version}`)
    store.append('events', 'new', 10)
    assert.deepEqual(store.tail('events', 1), ['new'])
    store.close()
  }
})
