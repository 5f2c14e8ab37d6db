import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RawAnswer, blob, codeOf, digest, locationOf, openRig } from './strict-registry/raw-rig.ts'

test('redirected reads go to another host, which has no business with the login', async (t) => {
  const { registry, call, broken } = await openRig(t, { redirects: true, ranges: false, warning: 'moving soon' })
  registry.holdBlob('a', blob)
  const answer = await call('GET', `a/blobs/${digest}`)
  assert.deepEqual([answer.status, answer.headers['warning']], [307, '299 - "moving soon"'])
  const location = locationOf(answer)
  assert.match(location, /^http:\/\/localhost:/)
  assert.deepEqual((await call('GET', location, { headers: { range: 'bytes=3-' } })).body, blob)
  assert.equal((await call('GET', location.replace(/\?.*/, ''))).status, 403)
  assert.deepEqual(broken(), [])
  await call('GET', location, { headers: { authorization: 'Basic eDp5' } })
  assert.deepEqual(broken(), ['AuthorizationAtRedirect'])
  assert.equal(registry.requests.get('Redirected'), 3)
})

const basic = { authorization: `Basic ${Buffer.from('ann:s3cret').toString('base64')}` }
const login = { user: 'ann', password: 's3cret' }

test('a registry with a password takes no request without it', async (t) => {
  const { call } = await openRig(t, { auth: { kind: 'Basic', ...login } })
  const refused = await call('GET', '')
  assert.deepEqual(
    [refused.status, codeOf(refused), refused.headers['www-authenticate']],
    [401, 'UNAUTHORIZED', 'Negotiate, Basic realm="strict"'],
  )
  assert.equal((await call('GET', '', { headers: basic })).status, 200)
})

const tokenOf = ({ body }: RawAnswer): string => (JSON.parse(body.toString()) as { token: string }).token

test('a token is good for its scopes and for its time', async (t) => {
  let nowMs = 0
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => Promise.reject(new Error('nobody sleeps')),
  }
  const { registry, call, broken } = await openRig(t, { auth: { kind: 'Bearer', tokenSeconds: 5, ...login }, clock })
  registry.holdBlob('b', blob)
  const asks = async (method: string, target: string, token: string): Promise<string | undefined> => {
    const answer = await call(method, target, { headers: { authorization: `Bearer ${token}` } })
    return answer.status === 401 ? answer.headers['www-authenticate'] : undefined
  }
  const give = async (query: string, headers = basic): Promise<RawAnswer> =>
    await call('GET', `/token?service=strict-registry${query}`, { headers })
  assert.match((await asks('HEAD', `a/blobs/${digest}`, 'x')) ?? '', /scope="repository:a:pull",error="invalid_token"/)
  const pull = tokenOf(await give('&scope=repository:a:pull'))
  assert.equal(await asks('HEAD', `a/blobs/${digest}`, pull), undefined)
  assert.match(
    (await asks('POST', 'a/blobs/uploads/', pull)) ?? '',
    /scope="repository:a:pull,push",error="insufficient_scope"/,
  )
  const push = tokenOf(await give('&scope=repository:a:pull,push'))
  assert.equal(await asks('POST', 'a/blobs/uploads/', push), undefined)
  const mount = `a/blobs/uploads/?mount=${digest}&from=b`
  assert.match((await asks('POST', mount, push)) ?? '', /scope="repository:a:pull,push repository:b:pull"/)
  const both = tokenOf(await give('&scope=repository:a:pull,push&scope=repository:b:pull'))
  assert.equal(await asks('POST', mount, both), undefined)
  nowMs = 5000
  assert.match((await asks('POST', 'a/blobs/uploads/', push)) ?? '', /error="invalid_token"/)
  assert.equal((await give('', { authorization: 'Basic eDp5' })).status, 401)
  assert.deepEqual(broken(), [])
  assert.equal((await give('&scope=a:pull')).status, 400)
  assert.equal((await call('GET', '/token?service=other', { headers: basic })).status, 400)
  assert.deepEqual(broken(), ['TokenRequest', 'TokenRequest'])
})

test('a token server knows anonymous pulls, read-only registries and identity tokens', async (t) => {
  const auth = {
    kind: 'Bearer',
    ...login,
    anonymousPull: true,
    readOnly: true,
    identityToken: 'id',
    tokenField: 'access_token',
  } as const
  const { call, broken } = await openRig(t, { auth })
  const scope = 'repository:a:pull,push'
  const query = new URLSearchParams({ service: 'strict-registry', scope })
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'x',
    refresh_token: 'id',
    service: 'strict-registry',
    scope,
  })
  for (const answer of [
    await call('GET', `/token?${query.toString()}`),
    await call('GET', `/token?${query.toString()}`, { headers: basic }),
    await call('POST', '/token', { body: form.toString() }),
  ]) {
    const { access_token: token } = JSON.parse(answer.body.toString()) as { access_token: string }
    const headers = { authorization: `Bearer ${token}` }
    assert.equal((await call('HEAD', `a/blobs/${digest}`, { headers })).status, 404)
    assert.equal((await call('POST', 'a/blobs/uploads/', { headers })).status, 401)
  }
  form.set('refresh_token', 'other')
  assert.equal((await call('POST', '/token', { body: form.toString() })).status, 401)
  assert.deepEqual(broken(), [])
  form.delete('client_id')
  assert.equal((await call('POST', '/token', { body: form.toString() })).status, 400)
  assert.deepEqual(broken(), ['TokenRequest'])
})
