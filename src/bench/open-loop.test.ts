import assert from 'node:assert/strict'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '../base/clock.ts'
import { openLoadConnection, renderPost } from './connection.ts'
import { type OpenLoad, runOpenLoop } from './open-loop.ts'

/** A clock that jumps to the end of each sleep. */
function createJumpingClock(): Clock & { jumpTo(ms: number): void } {
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      await new Promise(setImmediate) // What was due before is sent first.
      nowMs += ms
    },
    jumpTo: (ms) => void (nowMs = ms),
  }
}

function createRandom(): () => number {
  let seed = 1
  return () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
}

const still = { closed: false, close: () => undefined }

async function runAgainst(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  more: Partial<OpenLoad> = {},
): ReturnType<typeof runOpenLoop> {
  const server = createServer((request, response) => {
    request.resume()
    answer(request, response)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return await runOpenLoop({
    request: renderPost('/infer', {}, Buffer.from('hello')),
    ratePerSecond: 200,
    arrivals: 'constant',
    durationMs: 200,
    timeoutMs: 5000,
    maxConnections: 10,
    connect: async () => await openLoadConnection(port),
    clock: systemClock,
    random: Math.random,
    ...more,
  })
}

const sum = (counts: ReadonlyMap<unknown, number>): number => [...counts.values()].reduce((a, b) => a + b, 0)

/** The server stands still between 1 s and 1.2 s. */
test('latency counts from the moment a request was due, so that a freeze shows', async () => {
  const clock = createJumpingClock()
  const send = async (): Promise<number> => {
    if (clock.nowMs() >= 1000 && clock.nowMs() < 1200) clock.jumpTo(1200)
    return 200
  }
  const report = await runOpenLoop({
    request: new Uint8Array(),
    ratePerSecond: 200,
    arrivals: 'poisson',
    durationMs: 2000,
    timeoutMs: 60_000,
    maxConnections: 1,
    connect: async () => ({ ...still, send }),
    clock,
    random: createRandom(),
  })
  assert.ok(Math.abs(report.due - 400) < 80, `${report.due} arrivals`)
  assert.equal(report.statuses.get(200), report.due)
  // A tenth of the time is frozen: the requests due in it wait up to 200 ms.
  const at = (percentile: number): number => report.latency.histogram.getValueAtPercentile(percentile)
  assert.ok(at(99) > 150_000, `${at(99)} us`)
  assert.ok(at(50) < at(99) / 2)
})

test('a timer that rings early makes no answer look faster than it was', async () => {
  const clock = createJumpingClock()
  const early: Clock = { ...clock, sleep: async (ms) => await clock.sleep(Math.max(0, ms - 1)) }
  const send = async (): Promise<number> => {
    clock.jumpTo(clock.nowMs() + 0.5)
    return 200
  }
  const { latency } = await runOpenLoop({
    request: new Uint8Array(),
    ratePerSecond: 100,
    arrivals: 'constant',
    durationMs: 1000,
    timeoutMs: 60_000,
    maxConnections: 10,
    connect: async () => ({ ...still, send }),
    clock: early,
    random: createRandom(),
  })
  assert.equal(latency.histogram.getValueAtPercentile(0), 500)
})

test('constant arrivals are evenly spread, and Poisson arrivals are not', async () => {
  const gaps = async (arrivals: OpenLoad['arrivals']): Promise<number[]> => {
    const clock = createJumpingClock()
    const sentMs: number[] = []
    const send = async (): Promise<number> => sentMs.push(clock.nowMs())
    await runOpenLoop({
      request: new Uint8Array(),
      ratePerSecond: 100,
      arrivals,
      durationMs: 5000,
      timeoutMs: 60_000,
      maxConnections: 1000,
      connect: async () => ({ ...still, send }),
      clock,
      random: createRandom(),
    })
    return sentMs.slice(1).map((ms, index) => ms - (sentMs[index] ?? 0))
  }
  for (const gap of await gaps('constant')) assert.ok(Math.abs(gap - 10) < 1e-6, `${gap} ms`)
  const random = await gaps('poisson')
  const mean = random.reduce((a, b) => a + b, 0) / random.length
  const variance = random.reduce((a, gap) => a + (gap - mean) ** 2, 0) / random.length
  // Of an exponential distribution mean and deviation are equal.
  assert.ok(
    Math.abs(mean - 10) < 1.5 && Math.abs(Math.sqrt(variance) - 10) < 2.5,
    `${mean} ± ${Math.sqrt(variance)} ms`,
  )
})

test('answers of all kinds are counted, over connections that are opened again when the server ends them', async (t) => {
  let count = 0
  const report = await runAgainst(t, (_, response) => {
    count++
    if (count % 4 === 1) response.setHeader('connection', 'close')
    response.writeHead(count % 5 === 0 ? 503 : 200).end('chunked')
  })
  assert.equal(report.due, 40)
  assert.deepEqual([report.statuses.get(503), report.statuses.get(200)], [8, 32])
  assert.deepEqual([report.failures.size, report.queued], [0, 0])
  assert.equal(report.latency.histogram.totalCount, 40)
  assert.equal(sum(new Map(report.latency.bars().map(({ toMs, count: some }) => [toMs, some]))), 40)
})

test('every request that was due is answered or failed, whatever the server does', async (t) => {
  let count = 0
  const report = await runAgainst(
    t,
    (request, response) => {
      count++
      if (count % 3 === 0) request.socket.destroy()
      else if (count % 7 !== 0) response.end('ok') // else never
    },
    { timeoutMs: 150 },
  )
  assert.equal(sum(report.statuses) + sum(report.failures), report.due)
  assert.ok((report.failures.get('timed out') ?? 0) >= 1)
  assert.ok(sum(report.failures) - (report.failures.get('timed out') ?? 0) >= 5)
  // A request that was given up counts with all the time it had, one that broke at once not at all.
  assert.ok(report.latency.histogram.maxValue >= 145_000)
  assert.equal(report.latency.histogram.totalCount, sum(report.statuses) + (report.failures.get('timed out') ?? 0))
})

test('with all connections busy requests wait, which is counted, and are given up after their time', async (t) => {
  const report = await runAgainst(t, () => undefined, { maxConnections: 2, timeoutMs: 100 })
  assert.equal(sum(report.failures), report.due)
  assert.ok(report.queued >= 30, `${report.queued} waited`)
})

test('with nobody listening each request fails with the reason, and no latency is claimed', async (t) => {
  const report = await runAgainst(t, () => undefined, {
    connect: async () => await openLoadConnection(1),
    durationMs: 50,
  })
  assert.deepEqual([...report.failures], [['connect ECONNREFUSED 127.0.0.1:1', report.due]])
  assert.equal(report.latency.histogram.totalCount, 0)
})

test('when it is stopped nothing more becomes due, and what is under way is waited for', async (t) => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 60)
  const report = await runAgainst(t, (_, response) => void setTimeout(() => response.end('ok'), 100), {
    durationMs: 60_000,
    signal: controller.signal,
  })
  assert.ok(report.due > 0 && report.due < 40 && report.durationMs < 1000)
  assert.equal(report.statuses.get(200), report.due)
})
