import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { listModel, printModel } from './model-print.ts'

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
  for (const name of ['cats.onnx', 'cats.onnx.data', 'cats.onnx_b', 'cats.onnx.data~', 'dogs.onnx'])
    writeFileSync(join(dir, name), name)
  const { files, isFolder } = await printModel(join(dir, 'cats.onnx'))
  assert.equal(isFolder, false)
  assert.deepEqual(
    files.map(({ name }) => name),
    ['model.onnx', 'cats.onnx.data', 'cats.onnx_b'],
  )
  assert.deepEqual((await listModel(join(dir, 'cats.onnx'))).leftBehind, ['cats.onnx.data~'])
})

test('the digest of a folder hangs on the order of its paths, which never changes', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-print-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const name of ['b/é', 'b-a', 'b/a', 'a', 'Z', 'b.c', 'b/\u{1f600}', 'b/\uff00']) {
    mkdirSync(join(dir, dirname(name)), { recursive: true })
    writeFileSync(join(dir, name), name)
  }
  const { digest, files } = await printModel(dir)
  assert.deepEqual(
    files.map(({ name }) => name),
    ['Z', 'a', 'b-a', 'b.c', 'b/a', 'b/é', 'b/\u{1f600}', 'b/\uff00'],
  )
  assert.equal(digest, 'sha256:e0a513658e13c501574b348eff27f68f460415fd4bef4e1a6e8523fdcb9fb52b')
})

test('what is no regular file is listed, and is no part of the model; what a link to a folder leads to is neither', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-print-'))
  t.after(() => rmSync(dir, { recursive: true }))
  mkdirSync(join(dir, 'sub', '__pycache__'), { recursive: true })
  writeFileSync(join(dir, 'sub', 'x'), '')
  execFileSync('mkfifo', [join(dir, 'pipe')])
  symlinkSync('none', join(dir, 'broken'))
  symlinkSync('sub', join(dir, 'folder'))
  symlinkSync('sub/x', join(dir, 'link'))
  const { entries, leftBehind } = await listModel(dir)
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['broken', 'folder', 'link', 'pipe', 'sub/x'],
  )
  assert.deepEqual(leftBehind, ['sub/__pycache__'])
  assert.deepEqual(
    (await printModel(dir)).files.map(({ name }) => name),
    ['link', 'sub/x'],
  )
})
