import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createHastyClock, openTestRegistry } from '../../../../test/kit/registry-rig.ts'
import type { RegistryOptions, RegistryRequest } from '../registry.ts'

const pull = { repository: 'a/b', at: 'blobs/x', access: 'Pull', method: 'GET' } as const satisfies RegistryRequest

async function serve(test: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function open(test: TestContext, host: string, more: Partial<RegistryOptions> = {}) {
  const registry = openTestRegistry(host, more)
  test.after(async () => await registry.close())
  return registry
}

test('a login goes to the registry only, and not back to it from elsewhere', async (t) => {
  const seen: string[] = []
  const other = await serve(t, ({ headers, url }, response) => {
    seen.push(`other ${url} ${headers.authorization ?? 'nobody'}`)
    response.writeHead(302, { location: `http://${host}/back` }).end()
  })
  const host = await serve(t, ({ headers, url }, response) => {
    seen.push(`home ${url} ${headers.authorization ?? 'nobody'}`)
    if (url === '/back') response.end('x')
    else response.writeHead(307, { location: url === '/near' ? `http://${other}/far` : '/near' }).end()
  })
  const registry = open(t, host, { credentials: async () => ({ kind: 'RegistryToken', token: 'tok' }) })
  assert.equal((await registry.send(pull)).status, 200)
  assert.deepEqual(seen, [
    'home /v2/a/b/blobs/x Bearer tok',
    'home /near Bearer tok',
    'other /far nobody',
    'home /back nobody',
  ])
})

test('a token server that leads on to another host does not make us carry the login there', async (t) => {
  const identity = { kind: 'IdentityToken', token: 's3cret' } as const
  const password = { kind: 'Password', username: 'ann', password: 's3cret' } as const
  for (const credentials of [identity, password]) {
    const seen: string[] = []
    const thief = await serve(t, ({ method }, response) => {
      seen.push(String(method))
      response.end('{"token":"t"}')
    })
    const tokens = await serve(t, ({ url }, response) => {
      const location = url?.startsWith('/near') === true ? `http://${thief}/` : '/near'
      response.writeHead(307, { location }).end()
    })
    const host = await serve(t, (_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens}/token"` }).end(),
    )
    await assert.rejects(open(t, host, { credentials: async () => credentials }).send(pull), {
      code: 'TL_REGISTRY_FAILED',
      message: new RegExp(`${tokens} leads a request with a login to ${thief}`),
    })
    assert.deepEqual(seen, [])
  }
})

test('a registry that leads in circles is left', async (t) => {
  const host = await serve(t, (_, response) => response.writeHead(307, { location: '/again' }).end())
  await assert.rejects(open(t, host).send(pull), { code: 'TL_REGISTRY_FAILED', message: /more than 5 times/ })
})

test('nothing is sent unencrypted to another machine, unless that is asked for', async (t) => {
  const host = await serve(t, (_, response) => response.writeHead(307, { location: 'http://192.0.2.1/x' }).end())
  await assert.rejects(open(t, host).send(pull), {
    code: 'TL_REGISTRY_FAILED',
    message: /leads to http:\/\/192\.0\.2\.1/,
  })
  const file = await serve(t, (_, response) => response.writeHead(307, { location: 'file:///etc/passwd' }).end())
  await assert.rejects(open(t, file).send(pull), { code: 'TL_REGISTRY_FAILED' })
})

test('a registry that speaks plain HTTP where TLS was expected is told from one that is not there', async (t) => {
  const host = await serve(t, (_, response) => response.end())
  await assert.rejects(open(t, host, { plainHttp: false }).send(pull), {
    code: 'TL_REGISTRY_UNREACHABLE',
    hint: /it may speak plain HTTP/,
  })
  const clock = createHastyClock()
  await assert.rejects(open(t, '127.0.0.1:1', { clock }).send(pull), {
    code: 'TL_REGISTRY_UNREACHABLE',
    message: /127\.0\.0\.1:1: connect ECONNREFUSED/,
  })
  assert.deepEqual(clock.waitsMs, [])
})

test('a registry that goes silent is not waited for without end', async (t) => {
  const silent = await serve(t, () => undefined)
  const halting = await serve(t, (_, response) => response.writeHead(200, { 'content-length': 9 }).write('x'))
  const limits = { answerTimeoutMs: 30, idleTimeoutMs: 30 }
  const failing = async (host: string, message: RegExp) => {
    const sent = open(t, host, { limits }).send({ ...pull, tries: 1 })
    await assert.rejects(sent, { code: 'TL_REGISTRY_UNREACHABLE', message })
  }
  await Promise.all([failing(silent, /UND_ERR_HEADERS_TIMEOUT/), failing(halting, /UND_ERR_BODY_TIMEOUT/)])
})

test('a signal ends a request with its own reason', async (t) => {
  const stop = new AbortController()
  const host = await serve(t, () => stop.abort(new Error('enough')))
  await assert.rejects(open(t, host, { signal: stop.signal }).send(pull), { message: 'enough' })
})

test('what a registry says is shown in one short line, however long it is', async (t) => {
  const host = await serve(t, (_, response) => {
    const message = `\u001b[2J${'very '.repeat(100_000)}`
    response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'NAME_INVALID', message }] }))
  })
  const registry = open(t, host)
  const answer = await registry.send(pull)
  assert.equal(answer.body.length, 64 << 10)
  const short = await serve(t, (_, response) =>
    response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'NAME_INVALID', message: 'a\u001b[2Jb\nc' }] })),
  )
  const failure = registry.failure(await open(t, short).send(pull), 'a test')
  assert.equal(failure.detail, `${host} answered 400 NAME_INVALID: a [2Jb c to a test`)
})

test('a good answer that is longer than expected is refused', async (t) => {
  const host = await serve(t, (_, response) => response.end(Buffer.alloc(100_000)))
  await assert.rejects(open(t, host).send(pull), { code: 'TL_REGISTRY_FAILED', message: /more than 65536 bytes/ })
})

test('a warning of the registry is passed on once', async (t) => {
  const warnings: string[] = []
  const agents = new Set<string | undefined>()
  const host = await serve(t, ({ headers }, response) => {
    agents.add(headers['user-agent'])
    response.setHeader('warning', ['299 - "moves \\"soon\\"", 299 - "to b"', '199 - "other"']).end()
  })
  const registry = open(t, host, { onWarning: (text) => warnings.push(text) })
  await registry.send(pull)
  await registry.send(pull)
  assert.deepEqual(warnings, ['moves "soon"', 'to b'])
  assert.match([...agents].join(), /^towline\/\d+\.\d+\.\d+/)
})

test('a proxy of the environment is used, but not for this machine', async (t) => {
  const asked: string[] = []
  const proxy = await serve(t, ({ url, method }, response) => {
    asked.push(`${method} ${url}`)
    response.end('through')
  })
  const host = await serve(t, (_, response) => response.end('direct'))
  const env = { HTTP_PROXY: `http://${proxy}` }
  assert.equal(String(Buffer.from((await open(t, host, { env }).send(pull)).body)), 'direct')
  const far = open(t, 'registry.test:5000', { env, plainHttp: true })
  assert.equal(String(Buffer.from((await far.send(pull)).body)), 'through')
  assert.deepEqual(asked, ['GET http://registry.test:5000/v2/a/b/blobs/x'])
})
