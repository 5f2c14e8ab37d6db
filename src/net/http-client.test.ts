import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { readControlError, sendControlError } from './control-error.ts'
import { isLate, isNobodyListening, requestJson, streamLines } from './http-client.ts'
import { openSocketPath } from './socket-path.ts'

async function listen(t: TestContext, handle: RequestListener): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function openFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-http-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const refused = (answer: { status: number }): Error => new Error(`refused with ${answer.status}`)

test('a call sends its body as JSON and gets status and body back', async (t) => {
  const url = await listen(t, (request, response) => {
    void request.toArray().then((chunks) => {
      response.writeHead(201, { 'content-type': 'application/json; charset=utf-8' })
      const body = JSON.parse(Buffer.concat(chunks).toString()) as unknown
      response.end(JSON.stringify({ method: request.method, url: request.url, body }))
    })
  })
  const answer = await requestJson({ url: `${url}/`, method: 'PUT', path: '/a?b=1', body: { ä: 1 }, timeoutMs: 5000 })
  assert.deepEqual(answer, { status: 201, body: { method: 'PUT', url: '/a?b=1', body: { ä: 1 } } })
})

test('an empty body is undefined and one that is not JSON is its text', async (t) => {
  const url = await listen(t, (request, response) => {
    response.setHeader('content-type', 'text/plain')
    response.end(request.url === '/text' ? 'fine' : '')
  })
  assert.equal((await requestJson({ url, method: 'GET', path: '/', timeoutMs: 5000 })).body, undefined)
  assert.equal((await requestJson({ url, method: 'GET', path: '/text', timeoutMs: 5000 })).body, 'fine')
})

test('a unix socket is reached also over a path longer than the kernel takes', async (t) => {
  const folder = join(openFolder(t), 'a-long-folder-name'.repeat(8))
  mkdirSync(folder)
  const socketPath = join(folder, 'control.sock')
  assert.ok(Buffer.byteLength(socketPath) > 107)
  const opened = openSocketPath(socketPath)
  const server = createServer((_, response) => response.end()).listen({ path: opened.path })
  await once(server, 'listening')
  opened.close()
  const call = { socketPath, method: 'GET', path: '/', timeoutMs: 5000 } as const
  assert.equal((await requestJson(call)).status, 200)
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
  await assert.rejects(requestJson(call), isNobodyListening)
})

test('nobody listening is told apart: closed port, missing socket, missing folder', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.close()
  await once(server, 'close')
  const folder = openFolder(t)
  for (const address of [
    { url },
    { socketPath: join(folder, 'none.sock') },
    { socketPath: join(folder, 'x'.repeat(200), 'none.sock') },
  ]) {
    await assert.rejects(requestJson({ ...address, method: 'GET', path: '/', timeoutMs: 5000 }), isNobodyListening)
  }
})

test('a server that never answers is given up after the time limit, in head and in body', async (t) => {
  const url = await listen(t, (request, response) => {
    if (request.url === '/half') response.write('{"half":')
  })
  for (const path of ['/never', '/half']) {
    await assert.rejects(requestJson({ url, method: 'GET', path, timeoutMs: 50 }), isLate)
  }
})

test("the caller's abort ends a call with the caller's reason", async (t) => {
  const abort = new AbortController()
  const url = await listen(t, () => abort.abort(new Error('no longer wanted')))
  const call = { url, method: 'GET', path: '/', timeoutMs: 5000, signal: abort.signal } as const
  await assert.rejects(requestJson(call), /no longer wanted/)
  await assert.rejects(requestJson(call), /no longer wanted/)
})

test('an answer cut off, broken or too large is an error with a code', async (t) => {
  const url = await listen(t, (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    if (request.url === '/cut') response.write('{', () => response.destroy())
    else if (request.url === '/broken') response.end('{"a":')
    else response.end(Buffer.alloc(17 << 20, 32))
  })
  for (const [path, errno] of [
    ['/cut', 'ECONNRESET'],
    ['/broken', 'EBADMSG'],
    ['/large', 'EMSGSIZE'],
  ] as const) {
    await assert.rejects(requestJson({ url, method: 'GET', path, timeoutMs: 5000 }), (error) => hasErrno(error, errno))
  }
})

test('lines arrive as they are written, whatever the split, and a cut in a line is an error', async (t) => {
  const url = await listen(t, (request, response) => {
    response.write('{"n":1}\n\n{"n":')
    response.write(Buffer.from('2,"ä":"').subarray(0, 4))
    response.write(Buffer.from('2,"ä":"').subarray(4))
    response.write('é"}\n{"n":3}\n')
    if (request.url === '/cut') response.write('{"n":', () => response.destroy())
    else response.end(request.url === '/part' ? '{"n"' : '')
  })
  const read = async (path: string): Promise<unknown[]> => {
    const seen: unknown[] = []
    for await (const line of streamLines({ url, method: 'GET', path, timeoutMs: 5000 }, refused)) seen.push(line)
    return seen
  }
  assert.deepEqual(await read('/'), [{ n: 1 }, { n: 2, ä: 'é' }, { n: 3 }])
  await assert.rejects(read('/part'), (error) => hasErrno(error, 'EBADMSG'))
  await assert.rejects(read('/cut'), (error) => hasErrno(error, 'ECONNRESET'))
})

test('a stream outlives the time limit once begun, and leaving the loop closes its connection', async (t) => {
  const closed = Promise.withResolvers<void>()
  const url = await listen(t, (_, response) => {
    response.write('1\n')
    const timer = setTimeout(() => response.write('2\n'), 150)
    response.once('close', () => {
      clearTimeout(timer)
      closed.resolve()
    })
  })
  for await (const line of streamLines({ url, method: 'GET', path: '/', timeoutMs: 100 }, refused)) {
    if (line === 2) break
  }
  await closed.promise
})

test('a stream that is refused throws what the caller makes of the answer', async (t) => {
  const url = await listen(t, (_, response) => void response.writeHead(404).end())
  const lines = streamLines({ url, method: 'GET', path: '/', timeoutMs: 5000 }, refused)
  await assert.rejects(lines.next(), /refused with 404/)
})

test('a control error crosses the wire as the same failure', async (t) => {
  const sent = new TowlineError('TL_PORT_TAKEN', 'port 8080', { hint: 'choose another' })
  const url = await listen(t, (request, response) =>
    sendControlError(response, request.url === '/bug' ? new Error('secret') : sent),
  )
  const answer = await requestJson({ url, method: 'GET', path: '/', timeoutMs: 5000 })
  assert.equal(answer.status, 409)
  const received = readControlError(answer, 'GET /')
  assert.ok(received instanceof TowlineError)
  assert.deepEqual([received.code, received.message, received.hint], [sent.code, sent.message, sent.hint])

  const bug = await requestJson({ url, method: 'GET', path: '/bug', timeoutMs: 5000 })
  assert.equal(bug.status, 500)
  assert.doesNotMatch(JSON.stringify(bug.body), /secret/)
  assert.match(readControlError(bug, 'GET /bug').message, /GET \/bug answered 500: Towline failed/)
  assert.match(readControlError({ status: 502, body: 'x' }, 'GET /').message, /GET \/ answered 502: "x"/)
})
