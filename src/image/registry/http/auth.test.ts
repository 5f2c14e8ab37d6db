import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credentials } from '../credentials.ts'
import { createAuthorizer } from './auth.ts'
import type { Answer, HttpRequest } from './exchange.ts'

interface Asked {
  readonly request: HttpRequest
  readonly authorization: string | undefined
}

function rig(options: { origin?: string; credentials?: Credentials; reply?: (asked: Asked) => Partial<Answer> } = {}) {
  const asked: Asked[] = []
  let nowMs = 0
  const authorizer = createAuthorizer({
    host: 'registry.example.com',
    origin: options.origin ?? 'https://registry.example.com',
    credentials: options.credentials,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => undefined },
    transport: {
      pause: async () => undefined,
      send: async (request, { authorization } = {}) => {
        asked.push({ request, authorization })
        const body = Buffer.from(JSON.stringify({ token: `t${asked.length}`, expires_in: 100 }))
        return { status: 200, url: request.url, headers: {}, body, ...options.reply?.({ request, authorization }) }
      },
    },
  })
  return { authorizer, asked, later: (ms: number) => (nowMs += ms) }
}

function challenge(value: string): Answer {
  return {
    status: 401,
    url: new URL('https://registry.example.com'),
    headers: { 'www-authenticate': value },
    body: new Uint8Array(),
  }
}

const bearer = challenge('Bearer realm="https://auth.example.com/token",service="reg",scope="repository:a:pull"')
const scopes = ['repository:a:pull']
const password: Credentials = { kind: 'Password', username: 'ann', password: 's3cret' }
const basic = `Basic ${Buffer.from('ann:s3cret').toString('base64')}`

test('a token is fetched when it is asked for, once for requests at the same time, and again when it is old', async () => {
  const { authorizer, asked, later } = rig({ credentials: password })
  assert.equal(await authorizer.header(scopes), undefined)
  assert.equal(authorizer.learn(bearer, scopes, undefined), true)
  const headers = await Promise.all([authorizer.header(scopes), authorizer.header(scopes)])
  assert.deepEqual(headers, ['Bearer t1', 'Bearer t1'])
  assert.equal(asked[0]?.request.url.href, 'https://auth.example.com/token?service=reg&scope=repository%3Aa%3Apull')
  assert.equal(asked[0]?.authorization, basic)
  later(79_000)
  assert.equal(await authorizer.header(scopes), 'Bearer t1')
  later(2000)
  assert.equal(await authorizer.header(scopes), 'Bearer t2')
  assert.equal(await authorizer.header(['repository:b:pull']), 'Bearer t3')
})

test('a token that was refused is not used again, and what is newly demanded comes first', async () => {
  const { authorizer, asked } = rig()
  authorizer.learn(bearer, scopes, undefined)
  const sent = await authorizer.header(scopes)
  const more = challenge('Bearer realm="https://auth.example.com/token",scope="repository:base:pull"')
  assert.equal(authorizer.learn(more, scopes, sent), true)
  assert.equal(await authorizer.header(scopes), 'Bearer t2')
  assert.deepEqual(asked[1]?.request.url.searchParams.getAll('scope'), ['repository:base:pull', 'repository:a:pull'])
  assert.equal(asked[1]?.authorization, undefined)
})

test('an identity token is exchanged, and where nobody exchanges it stands for a password', async () => {
  const credentials = { kind: 'IdentityToken', token: 'id' } as const
  const { authorizer, asked } = rig({ credentials })
  authorizer.learn(bearer, scopes, undefined)
  await authorizer.header(scopes)
  const { request } = asked[0] ?? {}
  assert.equal(request?.method, 'POST')
  assert.equal(
    request?.body !== undefined && 'bytes' in request.body ? Buffer.from(request.body.bytes).toString() : '',
    'grant_type=refresh_token&client_id=towline&refresh_token=id&scope=repository%3Aa%3Apull&service=reg',
  )
  const old = rig({ credentials, reply: ({ request }) => (request.method === 'POST' ? { status: 404 } : {}) })
  old.authorizer.learn(bearer, scopes, undefined)
  assert.equal(await old.authorizer.header(scopes), 'Bearer t2')
  assert.equal(old.asked[1]?.authorization, `Basic ${Buffer.from('<token>:id').toString('base64')}`)
})

test('a password is sent as such only where that is asked for, and once', async () => {
  const { authorizer } = rig({ credentials: password })
  const asks = challenge('Basic realm="x"')
  assert.equal(authorizer.learn(asks, scopes, undefined), true)
  assert.equal(await authorizer.header(scopes), basic)
  assert.equal(authorizer.learn(asks, scopes, basic), false)
  assert.equal(rig().authorizer.learn(asks, scopes, undefined), false)
})

test('a password is not sent to an unsafe place that a registry names', () => {
  const learn = (realm: string, origin?: string) =>
    rig({ credentials: password, ...(origin === undefined ? {} : { origin }) }).authorizer.learn(
      challenge(`Bearer realm="${realm}"`),
      scopes,
      undefined,
    )
  for (const [realm, message] of [
    ['http://auth.example.com/token', /is not encrypted/],
    ['https://169.254.169.254/token', /private network/],
    ['https://[::ffff:10.0.0.1]/token', /private network/],
    ['https://localhost/token', /private network/],
    ['/token', /is no address/],
    ['ftp://auth.example.com', /is no address/],
  ] as const)
    assert.throws(() => learn(realm), { code: 'TL_REGISTRY_FAILED', message }, realm)
  assert.equal(learn('https://10.0.0.1:8443/token', 'https://10.0.0.1'), true)
  assert.equal(learn('http://localhost:5001/token', 'http://127.0.0.1:5000'), true)
})

test('a failing token server is a failure that shows no secret', async () => {
  for (const [reply, code] of [
    [{ status: 401 }, 'TL_REGISTRY_REFUSED'],
    [{ status: 500 }, 'TL_REGISTRY_FAILED'],
    [{ body: Buffer.from('{"token": "s3cret') }, 'TL_REGISTRY_FAILED'],
    [{ body: Buffer.from('{"token": "s3cret\\n"}') }, 'TL_REGISTRY_FAILED'],
    [{ body: Buffer.from('null') }, 'TL_REGISTRY_FAILED'],
  ] as const) {
    const { authorizer } = rig({ credentials: password, reply: () => reply })
    authorizer.learn(bearer, scopes, undefined)
    await assert.rejects(authorizer.header(scopes), (error: Error & { code?: string }) => {
      assert.equal(error.code, code)
      assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`, /s3cret|czNjcmV0/)
      return true
    })
  }
})
