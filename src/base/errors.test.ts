import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TowlineError, codes, hasErrno } from './errors.ts'

test('every row has a sentence of its own, a possible exit code and a possible status', () => {
  const rows = Object.entries(codes)
  assert.equal(new Set(rows.map(([, row]) => row.say)).size, rows.length)
  for (const [code, { exit, http }] of rows) assert.ok(exit >= 1 && exit <= 255 && http >= 400 && http < 600, code)
})

test('a failure carries its code, detail, hint and cause', () => {
  const cause = Object.assign(new Error('gone'), { code: 'ENOENT' })
  const error = new TowlineError('TL_FILE_MISSING', 'model.onnx', { hint: 'check the path', cause })
  assert.equal(error.message, 'A file is missing: model.onnx')
  assert.equal(error.hint, 'check the path')
  assert.ok(hasErrno(error.cause, 'EPERM', 'ENOENT'))
  assert.ok(!hasErrno('ENOENT', 'ENOENT'))
})
