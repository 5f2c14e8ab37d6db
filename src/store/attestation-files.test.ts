import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Attestation } from './attestation.ts'
import { attestationsDir, readAttestations, writeAttestation } from './attestation-files.ts'

const attestation: Attestation = {
  version: 1,
  environment: 'staging',
  service: 'cats',
  model: `sha256:${'a'.repeat(64)}`,
  image: null,
  url: 'http://127.0.0.1:8080',
  atMs: 1_800_000_000_000,
  towline: '0.1.0',
  passed: true,
  checks: [{ name: 'coffee.jpg', passed: true, detail: 'espresso 95.7 %', figures: { tookMs: 12.3 } }],
}

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-attest-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('what was written is read again, for its own service only', (t) => {
  const folder = createFolder(t)
  assert.deepEqual(readAttestations(folder, 'cats'), [])
  writeAttestation(folder, attestation)
  const production = { ...attestation, environment: 'production', image: `sha256:${'b'.repeat(64)}` }
  writeAttestation(folder, production)
  writeAttestation(folder, { ...attestation, service: 'dogs' })
  assert.deepEqual(readAttestations(folder, 'cats'), [production, attestation])
  assert.equal(readFileSync(join(folder, '.towline', '.gitignore'), 'utf8'), '*\n')
})

test('the newest word on a model replaces the one before, and one on another model stands beside it', (t) => {
  const folder = createFolder(t)
  writeAttestation(folder, attestation)
  const failed = { ...attestation, passed: false, atMs: attestation.atMs + 1 }
  writeAttestation(folder, failed)
  const other = { ...attestation, model: `sha256:${'b'.repeat(64)}` }
  writeAttestation(folder, other)
  assert.deepEqual(readAttestations(folder, 'cats'), [failed, other])
  assert.equal(readdirSync(attestationsDir(folder)).length, 2)
})

test('a file that is damaged, from another version, or renamed is named in an error', (t) => {
  const folder = createFolder(t)
  const file = writeAttestation(folder, attestation)
  const refuse = (why: RegExp): void =>
    assert.throws(() => readAttestations(folder, 'cats'), { code: 'TL_STATE_UNUSABLE', message: why })
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.slice(0, -20))
  refuse(new RegExp(`${basename(file)} is no attestation \\(it is no JSON\\)`))
  writeFileSync(file, text.replace('"version": 1', '"version": 2'))
  refuse(/\(version: /)
  writeFileSync(file, text.replace('"passed": true,', ''))
  refuse(/\(passed: |expected boolean/)
  writeFileSync(file, text)
  renameSync(file, join(dirname(file), basename(file).replace('staging', 'production')))
  refuse(/it speaks of cats, staging, sha256:a/)
  // Another service is not touched by it, nor by drafts that a crash left behind.
  writeFileSync(join(dirname(file), `${basename(file)}.1.draft`), '')
  assert.deepEqual(readAttestations(folder, 'dogs'), [])
})
