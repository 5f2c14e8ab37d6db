import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openTestReplica } from '../../test/kit/replica-rig.ts'
import { type Check, type CheckResult, describeResult, runChecks } from './checks.ts'
import { inferUrl } from './inference-call.ts'
import { readSmoke } from './smoke.ts'

const head = 'apiVersion: towline.dev/v1alpha1\nkind: ModelTest\n'
const counted = Array.from({ length: 16 }, (_, index) => index)
const request = JSON.stringify({
  inputs: ['INPUT0', 'INPUT1'].map((name) => ({ name, datatype: 'INT32', shape: [1, 16], data: counted })),
})

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-checks-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

async function listen(t: TestContext, answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer ?? (() => undefined))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return inferUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 'a model')
}

const asked: Check = {
  name: 'request.json',
  payload: { bytes: Buffer.from(request), type: 'application/json' },
  expect: { kind: 'Status', status: 200 },
}

test('requests and the inferences of a test file are sent to a replica, and each has its own verdict', async (t) => {
  const replica = await openTestReplica(t, 'add-sub-int32.onnx')
  const folder = createFolder(t)
  const double = counted.map((value) => value * 2)
  writeFileSync(join(folder, 'good.json'), request)
  writeFileSync(join(folder, 'wrong.json'), '{"inputs":[]}')
  writeFileSync(join(folder, 'broken.jpg'), 'no photo')
  writeFileSync(
    join(folder, 'checks.yaml'),
    `${head}inferences:
- { input: good.json, expect: { outputs: [{ name: OUTPUT0, data: [${double.join()}] }] } }
- { name: off by one, input: good.json, expect: { outputs: [{ name: OUTPUT1, data: [1${',0'.repeat(15)}] }] } }
- { input: broken.jpg, expect: { status: 415 } }
`,
  )
  const checks = await readSmoke(['good.json', 'wrong.json', 'checks.yaml'].map((name) => join(folder, name)))
  const seen: CheckResult[] = []
  const target = { url: inferUrl(replica.url, 'm'), timeoutMs: 5000 }
  const results = await runChecks(checks, target, (result) => void seen.push(result))
  assert.deepEqual(seen, results)
  assert.deepEqual(
    results.map((result) => [result.passed, describeResult(result).slice(0, 62)]),
    [
      [true, 'good.json: status 200'],
      [false, 'wrong.json: expected status 200, got status 400: The request d'],
      [true, 'good.json: OUTPUT0: 16 values as expected'],
      [false, 'off by one: OUTPUT1[0]: expected 1, got 0'],
      [true, 'broken.jpg: status 415'],
    ],
  )
  assert.ok(results.every(({ figures }) => (figures['tookMs'] ?? 0) > 0))
})

test('smoke that cannot be read is a failure before anything is sent', async (t) => {
  const folder = createFolder(t)
  writeFileSync(join(folder, 'broken.jpg'), 'no photo')
  writeFileSync(join(folder, 'checks.yaml'), `${head}inferences:\n- { input: tea.jpg, expect: { status: 200 } }\n`)
  await assert.rejects(readSmoke([join(folder, 'tea.jpg')]), { code: 'TL_FILE_MISSING' })
  await assert.rejects(readSmoke([join(folder, 'broken.jpg')]), { code: 'TL_IMAGE_INVALID' })
  await assert.rejects(readSmoke([join(folder, 'checks.yaml')]), {
    code: 'TL_SPEC_INVALID',
    message: /checks\.yaml:4:12 error TL_TEST_INPUT .*`tea\.jpg` is no file/,
  })
})

test('headers go along, and the name of the model is encoded', async (t) => {
  const seen: unknown[] = []
  const url = await listen(t, ({ url: path, headers }, response) => {
    seen.push(path, headers.authorization, headers['content-type'])
    response.end('{}')
  })
  await runChecks([asked], { url, headers: { authorization: 'Bearer k' }, timeoutMs: 5000 })
  assert.deepEqual(seen, ['/v2/models/a%20model/infer', 'Bearer k', 'application/json'])
})

test('no answer is a failed check that says why: nobody there, too late, cut off', async (t) => {
  const describe = async (url: string): Promise<string> => {
    const [result] = await runChecks([asked], { url, timeoutMs: 50 })
    assert.equal(result?.passed, false)
    return result.detail
  }
  const nobody = 'http://127.0.0.1:1/v2/models/m/infer'
  assert.equal(await describe(nobody), `no answer: nothing listens at ${nobody}`)
  const silent = await listen(t, (incoming) => void incoming.resume())
  assert.equal(await describe(silent), `no answer: waited 50 ms for an answer of ${silent}`)
  const cut = await listen(t, (incoming) => incoming.socket.destroy())
  assert.match(await describe(cut), /^no answer: socket hang up/)
})

test('stopping ends the checks instead of failing them', async (t) => {
  const stop = new AbortController()
  const url = await listen(t, () => stop.abort(new Error('enough')))
  await assert.rejects(runChecks([asked, asked], { url, timeoutMs: 5000, signal: stop.signal }), { message: 'enough' })
})
