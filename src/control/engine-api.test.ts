import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseApplyRequest } from './engine-api.ts'

test('an apply request is taken apart field by field', () => {
  const request = { document: { kind: 'ModelService' }, file: '/a/towline.yaml', port: 0, env: { A: '1' } }
  assert.deepEqual(parseApplyRequest(request), request)
  assert.deepEqual(parseApplyRequest({ document: 1, file: '/a' }), { document: 1, file: '/a' })
})

test('what does not fit is refused with the field named', () => {
  for (const [body, message] of [
    [null, /no object/],
    [{ document: {}, file: 'relative.yaml' }, /`file`/],
    [{ document: {}, file: '/a', port: 70_000 }, /`port`.*70000/],
    [{ document: {}, file: '/a', port: '80' }, /`port`.*"80"/],
    [{ document: {}, file: '/a', env: { A: 1 } }, /`env`/],
    [{ document: {}, file: '/a', detach: true }, /unknown fields: detach/],
  ] as const) {
    assert.throws(() => parseApplyRequest(body), { code: 'TL_REQUEST_INVALID', message })
  }
})
