import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { printModel } from './model-print.ts'

test('content and names of the files count, and nothing else', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-print-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const model = join(dir, 'model')
  mkdirSync(join(model, 'sub'), { recursive: true })
  writeFileSync(join(model, 'model.onnx'), 'a')
  writeFileSync(join(model, 'sub', 'labels.txt'), 'b')
  const { digest: first } = await printModel(model)
  writeFileSync(join(model, 'model.onnx'), 'a')
  assert.equal((await printModel(model)).digest, first)
  renameSync(model, join(dir, 'moved'))
  assert.equal((await printModel(join(dir, 'moved'))).digest, first)
  writeFileSync(join(dir, 'moved', 'sub', 'labels.txt'), 'c')
  assert.notEqual((await printModel(join(dir, 'moved'))).digest, first)
  await assert.rejects(printModel(model), { code: 'TL_MODEL_MISSING' })
})

test('what tools leave behind is no part of a model', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-print-'))
  t.after(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'model.onnx'), 'a')
  const { digest } = await printModel(dir)
  mkdirSync(join(dir, '.git'))
  writeFileSync(join(dir, '.git', 'config'), 'c')
  writeFileSync(join(dir, '.DS_Store'), 'd')
  const again = await printModel(dir)
  assert.equal(again.digest, digest)
  assert.deepEqual(
    again.files.map(({ name, sizeBytes }) => [name, sizeBytes]),
    [['model.onnx', 1]],
  )
})

test('a single model takes its data along, under the names that are written inside it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-print-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const name of ['cats.onnx', 'cats.onnx.data', 'dogs.onnx']) writeFileSync(join(dir, name), name)
  const { files, isFolder } = await printModel(join(dir, 'cats.onnx'))
  assert.equal(isFolder, false)
  assert.deepEqual(
    files.map(({ name }) => name),
    ['model.onnx', 'cats.onnx.data'],
  )
})
