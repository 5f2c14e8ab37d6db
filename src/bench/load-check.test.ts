import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import type { LoadTest } from '../spec/test-plan/plan.ts'
import { LatencyRecord } from './latency.ts'
import { judgeLoad, runLoadCheck } from './load-check.ts'

const limits: LoadTest = {
  input: '',
  requestsPerSecond: 20,
  durationMs: 30_000,
  maxErrorsPerThousand: 2,
  p99Ms: 500,
}

function judge(counts: Readonly<Record<number, number>>, due: number, tookMs = 212): ReturnType<typeof judgeLoad> {
  const latency = new LatencyRecord()
  const statuses = new Map(Object.entries(counts).map(([status, count]) => [Number(status), count]))
  for (const count of statuses.values()) for (let at = 0; at < count; at++) latency.add(tookMs)
  return judgeLoad(limits, { due, statuses, latency })
}

test('a load is judged by its errors and its 99th percentile, and says both', () => {
  assert.deepEqual(judge({ 200: 999, 503: 1 }, 1000), {
    name: '20/s for 30s',
    passed: true,
    detail: 'p99 212 ms, 1 of 1000 failed',
    figures: { due: 1000, failed: 1, p99Ms: 212 },
  })
  assert.deepEqual(
    [judge({ 200: 997 }, 1000), judge({ 200: 1000 }, 1000, 612)].map(({ passed, detail }) => [passed, detail]),
    [
      [false, 'p99 212 ms, 3 of 1000 failed, at most 2 of 1000 may'],
      [false, 'p99 612 ms, at most 500 ms expected, 0 of 1000 failed'],
    ],
  )
})

test('silence never passes', () => {
  assert.equal(judge({}, 0).passed, false)
  assert.equal(
    judgeLoad({ ...limits, maxErrorsPerThousand: 1000 }, { due: 9, statuses: new Map(), latency: new LatencyRecord() })
      .passed,
    false,
  )
})

async function runAgainst(
  t: TestContext,
  answer: RequestListener,
  signal?: AbortSignal,
): Promise<Awaited<ReturnType<typeof runLoadCheck>>> {
  const folder = mkdtempSync(join(tmpdir(), 'towline-load-'))
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answer(request, response))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true })
  })
  const input = join(folder, 'request.json')
  writeFileSync(input, '{}')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/models/m/infer`
  return runLoadCheck(
    { ...limits, input, requestsPerSecond: 200, durationMs: 200 },
    { url, timeoutMs: 5000, ...(signal === undefined ? {} : { signal }) },
    { clock: systemClock, random: Math.random },
  )
}

test('a service under load passes or fails by its answers', async (t) => {
  let count = 0
  const good = await runAgainst(t, (_, response) => {
    count++
    response.end('{}')
  })
  // One request went ahead of the load.
  assert.deepEqual([good.passed, good.figures['due']], [true, count - 1])
  let turn = 0
  const bad = await runAgainst(t, (_, response) => response.writeHead(turn++ % 2 === 0 ? 200 : 500).end('{}'))
  assert.equal(bad.passed, false)
  assert.match(bad.detail, /of \d+ failed, at most 2 of 1000 may$/)
})

test('what is refused alone is not sent at full rate', async (t) => {
  let count = 0
  const result = await runAgainst(t, (_, response) => {
    count++
    response.writeHead(400).end('{"error":"no such input"}')
  })
  assert.deepEqual([result.passed, count], [false, 1])
  assert.equal(result.detail, 'the input is answered with status 400: no such input')
})

test('a load that was stopped proves nothing', async (t) => {
  const stop = new AbortController()
  let count = 0
  const answer: RequestListener = (_, response) => {
    if (++count === 5) stop.abort(new Error('enough'))
    response.end('{}')
  }
  await assert.rejects(runAgainst(t, answer, stop.signal), { message: 'enough' })
})
