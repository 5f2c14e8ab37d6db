import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { answerWith, ask, openBackend, openTestRoute, until } from '../../../../test/kit/gateway-rig.ts'
import type { GatewayEndpoint, RevisionWeight } from '../gateway-config.ts'
import type { Route } from '../route.ts'

const weigh = (...percents: readonly number[]): RevisionWeight[] =>
  percents.map((percent, index) => ({ revision: index + 1, percent }))

/** One replica for each of these revisions; each answers with its revision. */
async function openRevisions(t: TestContext, ...revisions: readonly number[]): Promise<GatewayEndpoint[]> {
  return await Promise.all(
    revisions.map(async (revision, index) => {
      const { endpoint } = await openBackend(t, `replica-${index}`, answerWith(String(revision)))
      return { ...endpoint, revision }
    }),
  )
}

async function askTimes(route: Route, times: number): Promise<string> {
  let order = ''
  for (let count = 0; count < times; count++) order += (await ask(route)).body
  return order
}

const countOf = (order: string, revision: number): number => order.split(String(revision)).length - 1

test('5 % of 400 requests are 20, one after the other or all at once, over all replicas', async (t) => {
  const route = await openTestRoute(t, await openRevisions(t, 1, 1, 2, 2), { weights: weigh(95, 5) })
  assert.equal(countOf(await askTimes(route, 200), 2), 10)
  const together = await Promise.all(Array.from({ length: 200 }, async () => await ask(route)))
  assert.equal(together.filter(({ body }) => body === '2').length, 10)
  const { endpoints, revisions } = route.status()
  assert.deepEqual(
    revisions.map(({ revision, requests }) => [revision, requests]),
    [
      [1, 380],
      [2, 20],
    ],
  )
  assert.ok(
    endpoints.every(({ requests }) => requests >= 8),
    JSON.stringify(endpoints),
  )
})

test('other weights hold from the next request on, and what is in flight goes on', async (t) => {
  const held: (() => void)[] = []
  const old = await openBackend(t, 'old', (_, response) => void held.push(() => response.end('1')))
  const [fresh] = await openRevisions(t, 2)
  assert.ok(fresh !== undefined)
  const route = await openTestRoute(t, [old.endpoint, fresh], { weights: weigh(100, 0) })
  const owed = ask(route)
  await until(() => held.length === 1)
  await route.apply({ ...route.settings, weights: weigh(0, 100) })
  assert.equal(await askTimes(route, 5), '22222')
  assert.deepEqual(
    route.status().endpoints.map(({ state, inFlight }) => [state, inFlight]),
    [
      ['Active', 1],
      ['Active', 0],
    ],
  )
  held[0]?.()
  assert.equal((await owed).body, '1')
  await route.apply({ ...route.settings, weights: undefined })
  const either = ask(route)
  assert.equal(await askTimes(route, 1), '2')
  await until(() => held.length === 2)
  held[1]?.()
  assert.equal((await either).body, '1')
})

test('the same weights with other replicas go on where they are', async (t) => {
  const endpoints = await openRevisions(t, 1, 2, 2)
  const route = await openTestRoute(t, endpoints.slice(0, 2), { weights: weigh(80, 20) })
  let order = ''
  for (let round = 0; round < 30; round++) {
    order += await askTimes(route, 1)
    await route.apply({ ...route.settings, endpoints: endpoints.slice(0, 2 + (round % 2)) })
  }
  // Begun anew thirty times, hardly any order keeps this distance.
  assert.match(order, /^1{0,4}(21111){5}21{0,4}$/)
})

test('a revision with a weight and no replica yet costs no request', async (t) => {
  const [first, second] = await openRevisions(t, 1, 2)
  assert.ok(first !== undefined && second !== undefined)
  const route = await openTestRoute(t, [first], { weights: weigh(50, 50) })
  assert.equal(await askTimes(route, 10), '1111111111')
  await route.apply({ ...route.settings, endpoints: [first, second] })
  assert.equal(countOf(await askTimes(route, 10), 2), 5)
})

test('a replica that dies leaves its requests to the revisions that have a weight', async (t) => {
  const dying = await openBackend(t, 'dying', (request) => request.socket.resetAndDestroy())
  const [second, third] = await openRevisions(t, 2, 3)
  assert.ok(second !== undefined && third !== undefined)
  const weights = weigh(50, 0, 50)
  const route = await openTestRoute(t, [dying.endpoint, second, third], { weights })
  assert.equal(await askTimes(route, 10), '3333333333')
  const [first] = route.status().revisions
  assert.ok(first !== undefined && first.errors > 0 && first.errors === first.requests)
})

test('a revision at 0 % gets nothing even when it alone could answer: the request waits, and is answered by another', async (t) => {
  const [first, second] = await openRevisions(t, 1, 2)
  assert.ok(first !== undefined && second !== undefined)
  const route = await openTestRoute(t, [second], { weights: weigh(100, 0), waitMs: 20 })
  assert.equal((await ask(route)).status, 503)
  await route.apply({ ...route.settings, waitMs: 10_000 })
  const waiting = ask(route)
  await until(() => route.status().waiting === 1)
  await route.apply({ ...route.settings, endpoints: [second, first] })
  assert.equal((await waiting).body, '1')
  // Named by nobody is as good as 0.
  await route.apply({ ...route.settings, waitMs: 20, endpoints: [second], weights: [{ revision: 1, percent: 100 }] })
  assert.equal((await ask(route)).status, 503)
  assert.equal(route.status().endpoints[0]?.requests, 0)
})
