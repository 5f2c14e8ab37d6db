import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseChallenge } from './challenge.ts'

test('a challenge is read with its realm, service and scopes', () => {
  const header =
    'Bearer realm="https://auth.example.com/token?a=1",service="reg",scope="repository:a/b:pull,push repository:c:pull"'
  assert.deepEqual(chooseChallenge([header]), {
    kind: 'Bearer',
    realm: 'https://auth.example.com/token?a=1',
    service: 'reg',
    scopes: ['repository:a/b:pull,push', 'repository:c:pull'],
  })
})

test('of several the one that can be answered is chosen, a token before a password', () => {
  const bearer = { kind: 'Bearer', realm: 'https://a/t', scopes: [] }
  for (const headers of [
    ['Negotiate', 'Basic realm="x"', 'bearer realm="https://a/t"'],
    ['Negotiate abc==, Basic realm="x, y", Bearer realm="https://a/t"'],
    ['Digest realm="a", nonce="b", Bearer realm=https://a/t, Basic realm="x"'],
  ])
    assert.deepEqual(chooseChallenge(headers), bearer, headers.join())
  assert.deepEqual(chooseChallenge(['Basic']), { kind: 'Basic' })
  assert.deepEqual(chooseChallenge(['Basic realm="a \\"b\\""']), { kind: 'Basic' })
})

test('what cannot be answered is none', () => {
  for (const headers of [[], [''], ['Negotiate'], ['Bearer'], ['Bearer service="x"'], ['"'], ['Bearer realm="open']])
    assert.equal(chooseChallenge(headers), undefined)
})

test('any text is read in a moment', () => {
  const piece = fc.constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'a', '\t')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
      const startedMs = performance.now()
      chooseChallenge([pieces.join('')])
      assert.ok(performance.now() - startedMs < 500)
    }),
  )
})
