import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPullFailure } from './pull-failure.ts'

test('a name that has no address is told from a resolver that does not answer', () => {
  const read = (words: string) =>
    readPullFailure(`failed to do request: dial tcp: lookup r.example on 10.0.0.10:53: ${words}`)
  const cases = [
    ['no such host', true],
    ['read udp 10.0.0.1:3->10.0.0.10:53: i/o timeout', false],
    ['read: connection refused', false],
    ['server misbehaving', false],
  ] as const
  for (const [words, isSure] of cases) {
    const { text: _, ...failure } = read(words)
    assert.deepEqual(failure, { kind: 'HostUnknown', host: 'r.example', isSure }, words)
  }
  const { text: _, ...musl } = readPullFailure('lookup r.example: Temporary failure in name resolution')
  assert.deepEqual(musl, { kind: 'HostUnknown', host: 'r.example', isSure: false })
})
