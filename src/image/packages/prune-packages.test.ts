import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pruneFolders } from './prune-packages.ts'

const hourS = 3600

test('what was used in the last month stays, and drafts only as long as a build may work on them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-prune-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const nowS = 1_800_000_000
  const make = (path: string, ageS: number): void => {
    mkdirSync(join(folder, path))
    writeFileSync(join(folder, path, 'file'), '')
    utimesSync(join(folder, path), nowS - ageS, nowS - ageS)
  }
  make('used', 29 * 24 * hourS)
  make('idle', 31 * 24 * hourS)
  make('.fetching-a', 2 * hourS)
  make('.fetching-b', hourS / 2)
  make('used/.draft-a', 2 * hourS)
  utimesSync(join(folder, 'used'), nowS - hourS, nowS - hourS)
  await pruneFolders([folder, join(folder, 'none')], nowS * 1000)
  assert.deepEqual(readdirSync(folder).toSorted(), ['.fetching-b', 'used'])
  assert.deepEqual(readdirSync(join(folder, 'used')), ['file'])
})
