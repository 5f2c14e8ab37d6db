import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request as startRequest } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { openTestReplica } from '../../test/kit/replica-rig.ts'

const x = (part: object): string =>
  JSON.stringify({ inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4], ...part }] })
const good = x({})

/** Body, headers, status, and what the answer says. */
const malformed: readonly [
  name: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  status: number,
  says: RegExp,
][] = [
  ['an empty body', '', {}, 400, /the body is empty/],
  ['no JSON', 'hello', {}, 400, /line 1, column 1: the request must be an object, found `h`/],
  ['JSON cut off', good.slice(0, -3), {}, 400, /the body ends/],
  ['something behind', `${good}x`, {}, 400, /nothing may follow the request, found `x`/],
  ['no inputs', '{"id":"a"}', {}, 400, /`inputs` is missing/],
  ['an id that is a number', '{"id":1,"inputs":[]}', {}, 400, /`id` must be a string, found 1/],
  ['an unknown field', '{"inputz":[]}', {}, 400, /"inputz" is not a field of an inference request/],
  ['a field twice', '{"id":"a","id":"b"}', {}, 400, /the request has the key "id" twice/],
  ['no input given', '{"inputs":[]}', {}, 400, /the model also needs input "x"/],
  ['an unknown input', x({ name: 'y' }), {}, 400, /the model has no input "y"; it has "x"/],
  ['an unknown datatype', x({ datatype: 'FLOAT' }), {}, 400, /datatype is "FLOAT"; known are BOOL, UINT8/],
  ['another datatype', x({ datatype: 'INT32' }), {}, 400, /datatype INT32, the model takes FP32/],
  ['another rank', x({ shape: [4] }), {}, 400, /shape \[4\], the model takes \[-1,4\]/],
  ['another dimension', x({ shape: [1, 5] }), {}, 400, /shape \[1,5\], the model takes \[-1,4\]/],
  ['a negative dimension', x({ shape: [-1, 4] }), {}, 400, /shape has -1; every dimension must be a whole number/],
  ['a fractional dimension', x({ shape: [1.5, 4] }), {}, 400, /shape has 1\.5/],
  ['no rows', x({ shape: [0, 4], data: [] }), {}, 400, /shape \[0,4\]: it holds no element/],
  ['a shape beyond counting', x({ shape: [9e15, 4] }), {}, 400, /more elements than can be counted/],
  ['a shape beyond the body', x({ shape: [1e9, 4] }), {}, 400, /4000000000 elements, but the whole body has \d+ bytes/],
  ['too few elements', x({ data: [1, 2, 3] }), {}, 400, /has 3 elements, its shape \[1,4\] needs 4/],
  ['too many elements', x({ data: [1, 2, 3, 4, 5] }), {}, 400, /has more than the 4 elements/],
  ['null for a number', x({ data: [1, null, 3, 4] }), {}, 400, /is FP32: `null` is not a number/],
  ['text for a number', x({ data: [1, '2', 3, 4] }), {}, 400, /is FP32: `"2"` is not a number/],
  ['a number out of range', x({}).replace('[1,2,3,4]', '[1,1e39,3,4]'), {}, 400, /is FP32: `1e39` is out of its range/],
  [
    'ragged rows',
    x({
      shape: [2, 4],
      data: [
        [1, 2, 3],
        [4, 5, 6, 7, 8],
      ],
    }),
    {},
    400,
    /has 3 elements in dimension 1, its shape \[2,4\] says 4/,
  ],
  ['deep nesting', `{"inputs":${'['.repeat(250_000)}`, {}, 400, /inputs\[0\] must be an object/],
  [
    'deep nesting in data',
    x({ data: 0 }).replace('"data":0', `"data":${'['.repeat(250_000)}`),
    {},
    400,
    /not closed|deeper/,
  ],
  ['no data', x({ data: undefined }), {}, 400, /has no `data` and no `parameters\.binary_data_size`/],
  [
    'an unknown output',
    JSON.stringify({ ...JSON.parse(good), outputs: [{ name: 'z' }] }),
    {},
    400,
    /the model has no output "z"; it has "probs"/,
  ],
  [
    'a length header that is no number',
    good,
    { 'inference-header-content-length': 'ten' },
    400,
    /is "ten"; it must be a number of bytes/,
  ],
  [
    'a length header beyond the body',
    good,
    { 'inference-header-content-length': '9999' },
    400,
    /is 9999, but the body has only/,
  ],
  [
    'binary bytes that are missing',
    x({ data: undefined, parameters: { binary_data_size: 16 } }),
    { 'inference-header-content-length': '101' },
    400,
    /./,
  ],
  [
    'a raw body of half a row',
    new Uint8Array(7),
    { 'inference-header-content-length': '0' },
    400,
    /has 7 bytes, which is no whole tensor/,
  ],
  ['broken gzip', 'not gzip', { 'content-encoding': 'gzip' }, 400, /the gzip data is broken/],
  ['an unknown encoding', good, { 'content-encoding': 'br' }, 415, /content-encoding `br`; send gzip, deflate or none/],
  ['a body over the limit', new Uint8Array((1 << 20) + 1), {}, 413, /1048577 bytes, the limit is 1048576 bytes/],
  [
    'a small body that unpacks over the limit',
    new Uint8Array(gzipSync(Buffer.alloc(2 << 20))),
    { 'content-encoding': 'gzip' },
    413,
    /the limit is 1048576/,
  ],
  ['a photo for a model without a card', 'x', { 'content-type': 'image/png' }, 415, /no card\.yaml/],
]

test('each malformed request gets an answer of its own, and the replica lives on', async (t) => {
  const { url } = await openTestReplica(t, 'mlp-dynamic.onnx')
  const infer = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`${url}/v2/models/m/infer`, { method: 'POST', body, headers })
  const seen = new Map<string, string>()
  for (const [name, body, headers, status, says] of malformed) {
    const answer = await infer(body, headers)
    const { error } = (await answer.json()) as { error: string }
    assert.equal(answer.status, status, `${name}: ${error}`)
    assert.match(error, says, name)
    assert.equal(seen.get(error), undefined, `${name} is told the same as ${seen.get(error)}`)
    seen.set(error, name)
  }
  const after = await infer(good)
  assert.equal(after.status, 200)
  assert.ok(malformed.length >= 20)
})

test('the routes of the protocol answer as its clients demand', async (t) => {
  const { url, metricsPort } = await openTestReplica(t, 'mlp-dynamic.onnx')
  const get = async (path: string, method = 'GET') => {
    const answer = await fetch(url + path, { method })
    const text = await answer.text()
    return {
      status: answer.status,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
      headers: answer.headers,
    }
  }
  for (const path of ['/v2', '/v2/']) assert.equal(((await get(path)).body as { name: string }).name, 'towline')
  assert.deepEqual((await get('/v2/health/live')).body, { live: true })
  assert.deepEqual((await get('/v2/health/ready?x=1')).body, { ready: true })
  assert.deepEqual(
    [(await get('/v2/health/ready', 'HEAD')).status, (await get('/v2/health/ready', 'HEAD')).body],
    [200, undefined],
  )
  assert.deepEqual((await get('/v2/models/%6D/ready')).body, { name: 'm', ready: true })
  assert.deepEqual((await get('/v2/models/m')).body, {
    name: 'm',
    platform: 'onnx_onnxruntime',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [{ name: 'probs', datatype: 'FP32', shape: [-1, 3] }],
  })
  assert.match(JSON.stringify(await get('/v2/models/other')), /404.*Request for unknown model/)
  const wrong = await get('/v2/models/m/infer')
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST'])
  assert.equal((await get('/v2/models/m/versions/1/infer')).status, 404)
  assert.equal((await get('/v3')).status, 404)
  assert.deepEqual((await get('/v2/repository/index', 'POST')).body, [{ name: 'm', state: 'READY', reason: '' }])
  const named = await fetch(`${url}/v2/models/m/infer`, {
    method: 'POST',
    body: good,
    headers: { 'x-request-id': 'mine-1' },
  })
  assert.equal(named.headers.get('x-request-id'), 'mine-1')
  await named.text()
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  assert.match(metrics, /towline_requests_total\{model="m",code="200"\} 1/)
  assert.match(metrics, /towline_requests_in_flight\{model="m"\} 0/)
})

/** 500 rows through a loop inside the model: some 90 ms. */
const slowRows = 500
const slowRequest = JSON.stringify({
  inputs: [
    { name: 'x', shape: [slowRows, 64], datatype: 'FP32', data: Array.from({ length: slowRows * 64 }, () => 1) },
  ],
})

test('a full queue refuses at once, a late run is given up, and what is owed at the end is still answered', async (t) => {
  const replica = await openTestReplica(t, 'slow.onnx', { maxQueuedRows: slowRows, timeoutMs: 60_000 })
  const body = slowRequest
  const infer = () => fetch(`${replica.url}/v2/models/m/infer`, { method: 'POST', body })
  // One runs, one waits in the worker, one in the queue; the others are too many.
  const answers = await Promise.all(Array.from({ length: 6 }, infer))
  const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
  assert.deepEqual(statuses, [200, 200, 200, 503, 503, 503])
  assert.equal(answers.find(({ status }) => status === 503)?.headers.get('retry-after'), '1')
  await Promise.all(answers.map((answer) => answer.text()))
  const owed = infer()
  const inFlight = async (): Promise<boolean> =>
    /in_flight\{model="m"\} 1/.test(await (await fetch(`http://127.0.0.1:${replica.metricsPort}/metrics`)).text())
  while (!(await inFlight()));
  await replica.close()
  assert.equal((await owed).status, 200)
  await assert.rejects(infer())
})

test('with a linger, a request on a kept connection is answered while the replica ends, and ends the connection', async (t) => {
  const replica = await openTestReplica(t, 'mlp-dynamic.onnx', { lingerMs: 60_000 })
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const infer = async (): Promise<readonly unknown[]> => {
    const request = startRequest(`${replica.url}/v2/models/m/infer`, { method: 'POST', agent })
    const answered = once(request, 'response') as Promise<[IncomingMessage]>
    request.end(good)
    const [response] = await answered
    await response.resume().toArray()
    return [response.statusCode, response.headers.connection, request.reusedSocket]
  }
  assert.deepEqual(await infer(), [200, 'keep-alive', false])
  const closed = replica.close()
  // Idle connections would be gone by now without it.
  await sleep(50)
  assert.deepEqual(await infer(), [200, 'close', true])
  await closed
})

test('an answer that takes too long is given up with 504', async (t) => {
  const replica = await openTestReplica(t, 'slow.onnx', { timeoutMs: 5 })
  const body = slowRequest
  const answer = await fetch(`${replica.url}/v2/models/m/infer`, { method: 'POST', body })
  assert.equal(answer.status, 504)
  assert.match(await answer.text(), /no answer within 5 ms/)
})
