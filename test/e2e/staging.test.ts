import assert from 'node:assert/strict'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readAttestations } from '../../src/store/attestation-files.ts'
import { createProject, root, towline } from '../kit/command.ts'

const head = (kind: string): string => `apiVersion: towline.dev/v1alpha1\nkind: ${kind}\n`
const counted = Array.from({ length: 16 }, (_, index) => index)

test('what staging passed is written down for its model, and a later failure takes it back', async (t) => {
  const project = createProject(t)
  const write = (name: string, text: string): void => writeFileSync(join(project, name), text)
  const model = (name: string): void => copyFileSync(join(root, 'test', 'models', name), join(project, 'model.onnx'))
  const spec = `${head('ModelService')}metadata: { name: sums }\nspec:\n  model: { uri: ./model.onnx }\n`
  const inputs = ['INPUT0', 'INPUT1'].map((name) => ({ name, datatype: 'FP32', shape: [1, 16], data: counted }))
  const load = 'load: { input: request.json, requestsPerSecond: 50, duration: 1s, p99: 10s }\n'
  const plan = (first: number): string =>
    `${head('ModelTest')}inferences:
- { input: request.json, expect: { outputs: [{ name: OUTPUT1, data: [${[first, ...counted.slice(1).fill(0)].join()}] }] } }
- { name: empty, input: empty.json, expect: { status: 400 } }
${load}`
  model('add-sub-fp32.onnx')
  write('towline.yaml', spec)
  write('towline.staging.yaml', spec)
  write('request.json', JSON.stringify({ inputs }))
  write('empty.json', '{}')
  write('towline.test.yaml', plan(0))
  const run = async (...args: readonly string[]) => towline([...args, '--project', project], project)

  assert.equal((await run('test', '--env', 'staging')).code, 3, 'no engine runs')
  assert.equal((await run('up', '--env', 'staging', '--detach', '--port', '0')).code, 0)
  const passed = await run('test', '--env', 'staging')
  assert.equal(passed.code, 0, passed.err)
  assert.match(passed.out, / ✓ request\.json {2}OUTPUT1: 16 values as expected/)
  assert.match(passed.out, / ✓ 50\/s for 1s {3,}p99 .*, 0 of \d+ failed/)
  const digests = readAttestations(project, 'sums').map(({ model: digest, passed: good }) => [digest, good])
  assert.equal(digests.length, 1)
  assert.equal(digests[0]?.[1], true)

  write('towline.test.yaml', plan(1))
  const failed = await run('test', '--env', 'staging', '--json')
  assert.deepEqual([failed.code, /TL_TEST_FAILED.*1 of 3 failed/.test(failed.err)], [1, true])
  const told = JSON.parse(failed.out) as { passed: boolean; checks: { detail: string }[] }
  assert.deepEqual([told.passed, told.checks[0]?.detail], [false, 'OUTPUT1[0]: expected 1, got 0'])
  assert.deepEqual(
    readAttestations(project, 'sums').map(({ model: digest, passed: good }) => [digest, good]),
    [[digests[0]?.[0], false]],
  )

  // Nobody is asked when the answer would be about something else.
  const elsewhere = await run('test')
  assert.deepEqual([elsewhere.code, /brought up with --env staging, not with no --env/.test(elsewhere.err)], [1, true])
  model('add-sub-int32.onnx')
  const other = await run('test', '--env', 'staging')
  assert.deepEqual([other.code, /sums serves sha256 \w+…, and towline\.yaml names/.test(other.err)], [1, true])
  assert.equal(readAttestations(project, 'sums').length, 1)
  write('towline.test.yaml', `${head('ModelTest')}laod: {}\n`)
  const broken = await run('test', '--env', 'staging')
  assert.deepEqual([broken.code, /test\.yaml:3:1 error TL_SPEC_UNKNOWN_KEY/.test(broken.err)], [2, true])
  assert.equal((await run('down', '--all')).code, 0)
})
