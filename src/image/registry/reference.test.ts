import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Reference, formatReference, parseReference, tagOf } from './reference.ts'

const digest = `sha256:${'ab'.repeat(32)}` as const

test('a name without a host is at Docker Hub, without a folder in its library', () => {
  assert.deepEqual(parseReference('debian:13-slim'), {
    registry: 'docker.io',
    repository: 'library/debian',
    tag: '13-slim',
  })
  assert.deepEqual(parseReference('index.docker.io/debian'), { registry: 'docker.io', repository: 'library/debian' })
  assert.deepEqual(parseReference('team/model'), { registry: 'docker.io', repository: 'team/model' })
})

test('a port is not a tag, and a digest may stand behind a tag', () => {
  assert.deepEqual(parseReference('localhost:5000/a/b:1'), {
    registry: 'localhost:5000',
    repository: 'a/b',
    tag: '1',
  })
  assert.deepEqual(parseReference(`gcr.io/a/b:v1@${digest}`), {
    registry: 'gcr.io',
    repository: 'a/b',
    tag: 'v1',
    digest,
  })
  assert.deepEqual(parseReference('[::1]:5000/a'), { registry: '[::1]:5000', repository: 'a' })
})

test('where nothing is written latest is meant, and a digest alone means no tag', () => {
  assert.equal(tagOf(parseReference('a/b')), 'latest')
  assert.equal(tagOf(parseReference('a/b:2')), '2')
  assert.equal(tagOf(parseReference(`a/b@${digest}`)), undefined)
})

test('what is wrong with a name is said', () => {
  const wrong: [string, RegExp][] = [
    ['', /is empty/],
    ['docker://a/b', /starts with docker:\/\//],
    ['a/B', /has "B"/],
    ['gcr.io/', /has no repository/],
    ['a//b', /empty part/],
    ['a:', /has the tag ""/],
    ['a/b:-x', /has the tag "-x"/],
    ['a@sha256:12', /has the digest "sha256:12"/],
    [`a@${digest.toUpperCase()}`, /has the digest/],
    ['localhost:99999/a', /has the port "99999"/],
    ['localhost:/a', /has the port ""/],
    ['bad_host.io/a', /has the host "bad_host.io"/],
    [`gcr.io/${'a/'.repeat(130)}b`, /longer than 255/],
    ['a b', /has "a b"/],
    ['a/../b', /has "\.\."/],
  ]
  for (const [text, message] of wrong)
    assert.throws(() => parseReference(text), { code: 'TL_REFERENCE_INVALID', message }, text)
})

const part = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?$/)
const reference: fc.Arbitrary<Reference> = fc.record(
  {
    registry: fc.constantFrom(
      'docker.io',
      'localhost:5000',
      'ghcr.io',
      '127.0.0.1:80',
      '[::1]:1',
      'UPPER/'.slice(0, 5),
    ),
    repository: fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
    tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/),
    digest: fc.constant(digest),
  },
  { requiredKeys: ['registry', 'repository'] },
)

test('what is written is read again as it was', () => {
  fc.assert(
    fc.property(reference, (value) => {
      assert.deepEqual({ ...parseReference(formatReference(value)) }, { ...value })
    }),
  )
})

test('any text is either a name, whose full form means the same, or refused by name', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 40 }), fc.stringMatching(/^[a-z.:/@[\]-]{0,20}$/)), (text) => {
      let parsed: Reference
      try {
        parsed = parseReference(text)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'TL_REFERENCE_INVALID')
        return
      }
      assert.deepEqual(parseReference(formatReference(parsed)), parsed)
    }),
  )
})
