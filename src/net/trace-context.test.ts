import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTrace } from './trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = '00f067aa0ba902b7'

test('a valid traceparent is carried on, also one of a later version with more fields', () => {
  for (const traceparent of [
    `00-${traceId}-${parent}-01`,
    `01-${traceId}-${parent}-00`,
    `cc-${traceId}-${parent}-00-x`,
  ])
    assert.equal(readTrace({ traceparent }).traceId, traceId, traceparent)
})

test('an invalid traceparent begins a new trace', () => {
  const invalid = [
    '',
    'x',
    `00-${traceId}-${parent}`,
    `00-${traceId}-${parent}-0`,
    `00-${traceId}-${parent}-01-more`,
    `00-${traceId}-${parent}-01x`,
    ` 00-${traceId}-${parent}-01`,
    `ff-${traceId}-${parent}-01`,
    `00-${traceId.toUpperCase()}-${parent}-01`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
  ]
  for (const traceparent of invalid) {
    const { traceId: own } = readTrace({ traceparent })
    assert.match(own, /^[0-9a-f]{32}$/)
    assert.notEqual(own, traceId, traceparent)
  }
  assert.notEqual(readTrace({}).traceId, readTrace({}).traceId)
})

test('a request id is taken where it is short and plain, and made otherwise', () => {
  for (const id of ['a', 'req-1/2:3=4@5+6._', 'x'.repeat(128)])
    assert.equal(readTrace({ 'x-request-id': id }).requestId, id)
  for (const id of ['', 'two words', '"quoted"', 'new\nline', 'ż', 'x'.repeat(129)]) {
    const { requestId } = readTrace({ 'x-request-id': id })
    assert.notEqual(requestId, id)
    assert.match(requestId, /^[\w.:/+=@-]{1,128}$/)
  }
})
