import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { TowlineError } from '../base/errors.ts'
import { prepareProject, projectPaths } from '../engine/paths.ts'
import { connectEngine, startEngine } from './client.ts'
import { describeFailure, readFailure } from './engine-start.ts'

test('where no engine runs, that is said, with what starts one', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-client-'))
  t.after(() => rmSync(dir, { recursive: true }))
  await assert.rejects(connectEngine(dir), { code: 'TL_ENGINE_MISSING', hint: '`towline up FILE` starts one' })
})

test('an engine that cannot start hands its reason to whoever started it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-client-'))
  t.after(() => rmSync(dir, { recursive: true }))
  await assert.rejects(startEngine(join(dir, 'none')), { code: 'TL_FILE_MISSING' })
  await assert.rejects(startEngine(dir, { leaseMs: 100 }), { code: 'TL_USAGE' })
  const file = join(dir, 'state')
  writeFileSync(
    file,
    JSON.stringify(describeFailure(new TowlineError('TL_DISK_FULL', 'writing x', { hint: 'free some' }))),
  )
  const failure = readFailure(file)
  assert.equal(failure?.code, 'TL_DISK_FULL')
  assert.equal(failure.detail, 'writing x')
  assert.equal(failure.hint, 'free some')
  writeFileSync(file, '{"code":"TL_NONE","detail":"x"}')
  assert.equal(readFailure(file), undefined)
  assert.equal(readFailure(join(dir, 'none')), undefined)
})

test('a state that cannot be used stops the start with that reason', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-client-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const paths = projectPaths(dir)
  prepareProject(paths)
  writeFileSync(paths.state, 'no database '.repeat(100))
  await assert.rejects(startEngine(dir), { code: 'TL_STATE_UNUSABLE' })
})
