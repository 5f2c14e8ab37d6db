import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sampleService } from '../../test/kit/service-sample.ts'
import { resolveRollout } from '../spec/resolve/resolve-rollout.ts'
import { writeAttestation } from '../store/attestation-files.ts'
import type { Attestation } from '../store/attestation.ts'
import { admit } from './admission.ts'
import type { ServiceRecord } from './state/records.ts'

const nowMs = 1_800_000_000_000
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`
const service = sampleService({
  rollout: resolveRollout({ requires: [{ environment: 'staging', maxAge: '1h' }] }, '/'),
})
const attestation: Attestation = {
  version: 1,
  environment: 'staging',
  service: 'cats',
  model: digest('a'),
  image: null,
  url: 'http://127.0.0.1:8080',
  atMs: nowMs - 60_000,
  towline: '0.1.0',
  passed: true,
  checks: [{ name: 'coffee.jpg', passed: true, detail: 'espresso 95.8 %', figures: { tookMs: 5 } }],
}

test('a model is let in once the environment that is asked for has passed this very model, and lately enough', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-gate-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const ask = (modelDigest: string, atMs = nowMs): void =>
    admit({ service, file: join(dir, 'towline.yaml'), modelDigest, nowMs: atMs }, undefined, 'hash')
  const closed = (message: RegExp) => ({ code: 'TL_GATE_CLOSED', message })
  assert.throws(() => ask(digest('a')), closed(/staging has never run its checks/))
  writeAttestation(dir, attestation)
  ask(digest('a'))
  assert.throws(
    () => ask(digest('b')),
    closed(/staging passed another model \(sha256 aaaaaa… instead of sha256 bbbbbb…\)/),
  )
  assert.throws(() => ask(digest('a'), nowMs + 7_200_000), closed(/at most 1 h 0 m counts/))
  writeAttestation(dir, { ...attestation, atMs: nowMs, passed: false })
  assert.throws(() => ask(digest('a')), closed(/staging failed its checks of this model/))
})

test('what serves already needs no proof again: its replicas can be changed when the proof has grown old', () => {
  const serving = { number: 4, hash: 'same', proven: true }
  const record = { stable: 4, revisions: [serving] } as unknown as ServiceRecord // all that is looked at
  const admission = { service, file: '/nowhere/towline.yaml', modelDigest: digest('a'), nowMs }
  admit(admission, record, 'same')
  assert.throws(() => admit(admission, record, 'other'), { code: 'TL_GATE_CLOSED' })
})
