import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { printModel } from '../spec/model/model-print.ts'
import { keepModel, pruneModels } from './model-store.ts'
import { projectPaths } from './paths.ts'

function createProject(t: TestContext): { readonly dir: string; readonly paths: ReturnType<typeof projectPaths> } {
  const dir = mkdtempSync(join(tmpdir(), 'towline-models-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return { dir, paths: projectPaths(dir) }
}

test('a copy survives edits of the original and its end; an edited one is another copy', async (t) => {
  const { dir, paths } = createProject(t)
  const model = join(dir, 'model.onnx')
  writeFileSync(model, 'first')
  writeFileSync(`${model}.data`, 'weights')
  const first = await keepModel(paths, model)
  writeFileSync(model, 'second')
  const second = await keepModel(paths, model)
  rmSync(model)
  assert.notEqual(first.digest, second.digest)
  assert.equal(readFileSync(first.path, 'utf8'), 'first')
  assert.equal(readFileSync(`${first.path}.data`, 'utf8'), 'weights')
  assert.equal(readFileSync(second.path, 'utf8'), 'second')
})

test('the same content is kept once, also when two ask at the same time, and nothing half copied stays', async (t) => {
  const { dir, paths } = createProject(t)
  const model = join(dir, 'model')
  mkdirSync(model)
  writeFileSync(join(model, 'model.onnx'), 'a')
  const kept = await Promise.all([keepModel(paths, model), keepModel(paths, model)])
  assert.deepEqual(kept[0], kept[1])
  assert.equal(kept[0].digest, (await printModel(kept[0].path)).digest)
  assert.equal(readdirSync(paths.models).length, 1)
})

test('copies that nobody names are removed, those that are named and those under way stay', async (t) => {
  const { dir, paths } = createProject(t)
  await pruneModels(paths, new Set())
  const model = join(dir, 'model.onnx')
  writeFileSync(model, 'first')
  const first = await keepModel(paths, model)
  writeFileSync(model, 'second')
  const second = await keepModel(paths, model)
  mkdirSync(join(paths.models, 'copying-x'))
  await pruneModels(paths, new Set([second.digest]))
  assert.deepEqual([existsSync(first.path), existsSync(second.path)], [false, true])
  assert.ok(existsSync(join(paths.models, 'copying-x')))
})

test('a single file takes along what exporters put beside it, and nothing else that lies there', async (t) => {
  const { dir, paths } = createProject(t)
  const model = join(dir, 'model.onnx')
  const files = ['model.onnx', 'model.onnx.data', 'model.onnx_data', 'model2.onnx', 'labels.txt']
  for (const file of files) writeFileSync(join(dir, file), file)
  const kept = await keepModel(paths, model)
  assert.deepEqual(readdirSync(dirname(kept.path)).toSorted(), files.slice(0, 3))
  writeFileSync(join(dir, 'labels.txt'), 'changed')
  assert.equal((await keepModel(paths, model)).digest, kept.digest)
  writeFileSync(`${model}_data`, 'changed')
  assert.notEqual((await keepModel(paths, model)).digest, kept.digest)
})

test('what is kept already is not copied again', async (t) => {
  const { dir, paths } = createProject(t)
  const model = join(dir, 'model.onnx')
  writeFileSync(model, 'a')
  const first = await keepModel(paths, model)
  // Whatever is put into the folder, also for a moment, changes its time.
  const changedAt = statSync(paths.models, { bigint: true }).mtimeNs
  mkdirSync(join(dir, 'moved'))
  const moved = join(dir, 'moved', 'model.onnx')
  renameSync(model, moved)
  assert.deepEqual(await keepModel(paths, moved), first)
  assert.equal(statSync(paths.models, { bigint: true }).mtimeNs, changedAt)
})

test('a model that is not there is not kept', async (t) => {
  const { dir, paths } = createProject(t)
  await assert.rejects(keepModel(paths, join(dir, 'none.onnx')), { code: 'TL_MODEL_MISSING' })
  assert.equal(existsSync(paths.models), false)
})

test('the same content under another name is the same copy, of a file and of a folder', async (t) => {
  const { dir, paths } = createProject(t)
  for (const name of ['a.onnx', 'b.onnx']) writeFileSync(join(dir, name), 'same')
  for (const name of ['v1', 'v2']) {
    mkdirSync(join(dir, name))
    writeFileSync(join(dir, name, 'model.onnx'), 'same')
  }
  for (const [one, other] of [
    ['a.onnx', 'b.onnx'],
    ['v1', 'v2'],
  ] as const) {
    const first = await keepModel(paths, join(dir, one))
    assert.deepEqual(await keepModel(paths, join(dir, other)), first)
    assert.ok(existsSync(first.path))
  }
})

test('a copy of a folder that nobody may write is removed all the same, and what a killed engine left is too', async (t) => {
  const { dir, paths } = createProject(t)
  const model = join(dir, 'model')
  mkdirSync(model)
  writeFileSync(join(model, 'model.onnx'), 'a')
  chmodSync(model, 0o555)
  await keepModel(paths, model)
  mkdirSync(join(paths.models, 'copying-left'))
  await pruneModels(paths, new Set(), true)
  assert.deepEqual(readdirSync(paths.models), [])
})

test('a folder beside a single model that is named like its data is not taken for data', async (t) => {
  const { dir } = createProject(t)
  const model = join(dir, 'model.onnx')
  writeFileSync(model, 'a')
  const { digest: before } = await printModel(model)
  mkdirSync(`${model}_files`)
  assert.equal((await printModel(model)).digest, before)
})

test('links to files are followed, links to folders are not: what is copied is what the digest is made of', async (t) => {
  const { dir, paths } = createProject(t)
  const [model, other] = [join(dir, 'model'), join(dir, 'other')]
  mkdirSync(model)
  mkdirSync(other)
  writeFileSync(join(other, 'weights'), 'a')
  symlinkSync(join(other, 'weights'), join(model, 'model.onnx'))
  symlinkSync(other, join(model, 'extra'))
  symlinkSync('.', join(model, 'loop'))
  const kept = await keepModel(paths, model)
  assert.equal(kept.digest, (await printModel(model)).digest)
  assert.deepEqual(readdirSync(kept.path), ['model.onnx'])
  assert.equal(readFileSync(join(kept.path, 'model.onnx'), 'utf8'), 'a')
})
