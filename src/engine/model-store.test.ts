import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { printModel } from './model-store.ts'

test('content and names of the files count, and nothing else', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-print-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const model = join(dir, 'model')
  mkdirSync(join(model, 'sub'), { recursive: true })
  writeFileSync(join(model, 'model.onnx'), 'a')
  writeFileSync(join(model, 'sub', 'labels.txt'), 'b')
  const first = await printModel(model)
  writeFileSync(join(model, 'model.onnx'), 'a')
  assert.equal(await printModel(model), first)
  renameSync(model, join(dir, 'moved'))
  assert.equal(await printModel(join(dir, 'moved')), first)
  writeFileSync(join(dir, 'moved', 'sub', 'labels.txt'), 'c')
  assert.notEqual(await printModel(join(dir, 'moved')), first)
  await assert.rejects(printModel(model), { code: 'TL_MODEL_MISSING' })
})
