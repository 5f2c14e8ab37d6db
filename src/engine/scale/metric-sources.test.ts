import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { parseGauge, parseQueryAnswer, queryPrometheus, readQueuedRows } from './metric-sources.ts'
import { parseCpuMs, readUsage } from './process-usage.ts'

test('a gauge is the sum of its series; a longer name, a comment and a broken value are not it', () => {
  const page = [
    '# HELP rows x',
    '# TYPE rows gauge',
    'rows{model="a b"} 3',
    'rows{model="c"} 4',
    'rows_total 99',
    '',
  ].join('\n')
  assert.equal(parseGauge(page, 'rows'), 7)
  assert.equal(parseGauge('rows 2\n', 'rows'), 2)
  assert.equal(parseGauge('rows NaN\n', 'rows'), undefined)
  assert.equal(parseGauge(page, 'other'), undefined)
})

test('a query gives the values of its vector; silence and nonsense are failures with a reason', () => {
  const answer = (result: unknown, resultType = 'vector') => ({ status: 'success', data: { resultType, result } })
  const series = (value: string) => ({ metric: {}, value: [1, value] })
  assert.deepEqual(parseQueryAnswer(200, answer([series('1.5'), series('2')])), { kind: 'Value', values: [1.5, 2] })
  assert.deepEqual(parseQueryAnswer(200, answer([1, '7'], 'scalar')), { kind: 'Value', values: [7] })
  assert.deepEqual(parseQueryAnswer(200, answer([])), { kind: 'Value', values: [] })
  for (const [status, body, reason] of [
    [400, { status: 'error', error: 'parse error: unexpected }' }, 'parse error: unexpected }'],
    [502, 'Bad Gateway', 'it answered 502'],
    [200, answer([series('NaN')]), 'the result is not a number'],
    [200, answer([series('+Inf')]), 'the result is not a number'],
    [200, answer([{ values: [] }], 'matrix'), 'a result of type matrix; ask for a vector'],
    [200, 'no json', 'a result of type undefined; ask for a vector'],
    [200, answer([null]), 'the result is not a number'],
  ] as const)
    assert.deepEqual(parseQueryAnswer(status, body), { kind: 'Failed', reason })
})

test('what cannot be reached is no data, and says where it was looked for', async () => {
  const server = createServer((request, response) => {
    response.setHeader('content-type', request.url === '/metrics' ? 'text/plain' : 'application/json')
    if (request.url === '/metrics') return void response.end('towline_queued_rows{model="m"} 5\n')
    response.end(JSON.stringify({ data: { resultType: 'vector', result: [{ value: [0, request.url?.slice(-9)] }] } }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.equal(await readQueuedRows('127.0.0.1', port), 5)
  const url = `http://127.0.0.1:${port}/prom`
  assert.deepEqual(await queryPrometheus(url, 'sum(a)&b=1'), { kind: 'Failed', reason: 'the result is not a number' })
  server.close()
  await once(server, 'close')
  assert.equal(await readQueuedRows('127.0.0.1', port), undefined)
  const failed = await queryPrometheus(url, 'up')
  assert.match(failed.kind === 'Failed' ? failed.reason : '', new RegExp(`^${url} does not answer \\(.*ECONNREFUSED`))
})

test('the time a process has used is read past whatever its name holds', () => {
  const fields = `S 1 1 1 0 -1 0 0 0 0 0 150 50 ${'0 '.repeat(30)}`
  assert.equal(parseCpuMs(`12 (a) b ( c)) ${fields}`), 2000)
  assert.equal(parseCpuMs('12 (a) S 1'), undefined)
  const usage = readUsage(process.pid) ?? assert.fail('this process runs')
  assert.ok(usage.cpuMs > 0 && usage.memoryBytes > 1e6)
  assert.equal(readUsage(2 ** 30), undefined)
})
