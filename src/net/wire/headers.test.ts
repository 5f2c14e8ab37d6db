import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endToEndHeaders, renderRequestHead } from './headers.ts'

test('headers of the connection are dropped, the others keep spelling, order and repetitions', () => {
  const raw = [
    'X-A',
    '1',
    'Connection',
    'keep-alive',
    'x-a',
    '2',
    'TE',
    'trailers',
    'Upgrade',
    'h2c',
    'Keep-Alive',
    '5',
  ]
  assert.deepEqual(endToEndHeaders(raw), ['X-A', '1', 'x-a', '2'])
  assert.deepEqual(endToEndHeaders(['X-A', '1', 'B', '2'], new Set(['x-a'])), ['B', '2'])
})

test('headers that a connection header names are dropped too, wherever they stand, but not those that frame the message', () => {
  const raw = [
    'X-B',
    '1',
    'Connection',
    'x-a, Content-Length',
    'X-A',
    '1',
    'connection',
    'X-b,,',
    'Content-Length',
    '3',
  ]
  assert.deepEqual(endToEndHeaders(raw), ['Content-Length', '3'])
})

test('a request head is framed by what was parsed', () => {
  const head = { method: 'POST', target: '/v2?x', headers: ['A', 'b'] }
  assert.equal(renderRequestHead({ ...head, framing: { kind: 'None' } }), 'POST /v2?x HTTP/1.1\r\nA: b\r\n\r\n')
  assert.match(
    renderRequestHead({ ...head, framing: { kind: 'Length', sizeBytes: 7 } }),
    /\r\nContent-Length: 7\r\n\r\n$/,
  )
  assert.match(renderRequestHead({ ...head, framing: { kind: 'Chunked' } }), /\r\nTransfer-Encoding: chunked\r\n\r\n$/)
})
