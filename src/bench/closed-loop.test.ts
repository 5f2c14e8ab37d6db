import assert from 'node:assert/strict'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { runClosedLoop } from './closed-loop.ts'
import { openLoadConnection, renderPost } from './connection.ts'

async function openServer(t: TestContext, answer: Parameters<typeof createServer>[1]): Promise<number> {
  const server: Server = createServer(answer ?? (() => undefined))
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

test('a closed loop sends what it was given and counts every answer by its status', async (t) => {
  const bodies: string[] = []
  const port = await openServer(t, (request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      bodies.push(body)
      response.writeHead(bodies.length % 2 === 0 ? 503 : 200, { 'content-length': 3 })
      response.end('abc')
    })
  })
  const connections = await Promise.all([openLoadConnection(port), openLoadConnection(port)])
  const request = renderPost('/infer', { 'content-type': 'text/plain' }, Buffer.from('hello'))
  const report = await runClosedLoop(connections, { request, durationMs: 30, clock: systemClock })
  for (const connection of connections) connection.close()
  assert.equal(report.answered, bodies.length)
  assert.ok(bodies.length > 2 && bodies.every((body) => body === 'hello'))
  assert.equal((report.statuses.get(200) ?? 0) - (report.statuses.get(503) ?? 0), bodies.length % 2)
})

test('a connection that breaks is counted and does not end the run', async (t) => {
  const port = await openServer(t, (request) => request.socket.destroy())
  const connection = await openLoadConnection(port)
  const report = await runClosedLoop([connection], {
    request: renderPost('/', {}, new Uint8Array()),
    durationMs: 1000,
    clock: systemClock,
  })
  assert.deepEqual([report.answered, report.statuses.get(0)], [0, 1])
})
