import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readAnnouncement } from './announcement.ts'
import type { ProcessIdentity } from './process-identity.ts'

type Words = ProcessIdentity & { readonly state: string }

const read = (file: string, identity: ProcessIdentity) => readAnnouncement(file, identity) as Words | undefined

test('only the words of this very process count', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-announce-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.json')
  assert.equal(read(file, { pid: 1, startTicks: 2 }), undefined)
  writeFileSync(file, '{"pid":1,"startTicks":2,"state":"Starting"}')
  assert.equal(read(file, { pid: 1, startTicks: 2 })?.state, 'Starting')
  assert.equal(read(file, { pid: 1, startTicks: 3 }), undefined)
  assert.equal(read(file, { pid: 2, startTicks: 2 }), undefined)
  assert.equal(read(file, { pid: 1, startTicks: 0 })?.state, 'Starting')
  for (const broken of ['', 'null', '[]', '{"pid":1']) {
    writeFileSync(file, broken)
    assert.equal(read(file, { pid: 1, startTicks: 2 }), undefined)
  }
})
