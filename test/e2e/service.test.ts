import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineStatus } from '../../src/control/api.ts'
import { collect, createProject, example, findProcesses, root, start, towline, untilPrinted } from '../kit/command.ts'

interface Top {
  readonly label: string
  readonly index: number
  readonly prob: number
}
interface Expected {
  readonly photos: Readonly<Record<string, { readonly fp32?: readonly [Top, Top, ...Top[]] }>>
}
interface Answer {
  readonly outputs: readonly { readonly name: string; readonly data: readonly (string | number)[] }[]
}

test('a service runs detached: up, status, infer, logs, down; and its answers are those of the expected table', async (t) => {
  const project = createProject(t)
  const own = ['--project', project]
  const up = await towline(['up', join(example, 'towline.yaml'), '--detach', '--port', '0', ...own])
  assert.equal(up.code, 0, up.err)
  assert.match(up.out, /replicas {5}2\/2 ready/)

  const status: EngineStatus = JSON.parse((await towline(['status', '--json', ...own])).out)
  const [service] = status.services
  assert.deepEqual([service?.phase, service?.replicas], ['Ready', { desired: 2, ready: 2 }])
  assert.match((await towline(['status', ...own])).out, /image-classifier {2}Ready/)

  const { photos } = JSON.parse(readFileSync(join(example, 'expected.json'), 'utf8')) as Expected
  const infer = async (photo: string) =>
    fetch(`${service?.url}/v2/models/image-classifier/infer?top_k=1000`, {
      method: 'POST',
      body: new Uint8Array(readFileSync(join(example, 'photos', photo))),
      headers: { 'content-type': photo.endsWith('.png') ? 'image/png' : 'image/jpeg' },
    })
  for (const [photo, { fp32 }] of Object.entries(photos)) {
    // Two files have no expected classes: they must be refused, below.
    if (fp32 === undefined) continue
    const answer = await infer(photo)
    assert.equal(answer.status, 200, photo)
    const { outputs } = (await answer.json()) as Answer
    const data = (name: string) => outputs.find((output) => output.name === name)?.data ?? assert.fail(name)
    const scores = new Map(data('indices').map((index, at) => [Number(index), Number(data('scores')[at])]))
    for (const { index, label, prob } of fp32) {
      const seen = scores.get(index) ?? assert.fail(`${photo}: no class ${index}`)
      assert.ok(Math.abs(seen - prob) <= 0.05, `${photo}: ${label} ${seen}, expected ${prob}`)
    }
    if (fp32[0].prob - fp32[1].prob > 0.1) assert.equal(data('labels')[0], fp32[0].label, photo)
  }
  assert.ok(Object.keys(photos).length >= 9)
  for (const photo of ['coffee-truncated.jpg', 'not-an-image.jpg']) {
    const answer = await infer(photo)
    assert.equal(answer.status, 400, photo)
    assert.match(await answer.text(), /The image cannot be decoded/)
  }

  const pretty = await towline([
    'infer',
    'image-classifier',
    join(example, 'photos', 'coffee.jpg'),
    '--top',
    '2',
    ...own,
  ])
  assert.match(pretty.out, /^coffee\.jpg {2}→ espresso [\d.]+ % {3}/)
  const json = await towline(['infer', service?.url ?? '', join(example, 'photos', 'coffee.jpg'), '--json', ...own])
  assert.equal((JSON.parse(json.out) as Answer).outputs.length, 3)
  const refused = await towline(['infer', 'image-classifier', join(example, 'photos', 'coffee-truncated.jpg'), ...own])
  assert.deepEqual([refused.code, /error TL_IMAGE_INVALID/.test(refused.err)], [2, true])

  const logs = await towline(['logs', 'image-classifier', '--json', '--tail', '3', ...own])
  const lines = logs.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { service: string; requestId?: string })
  assert.ok(lines.length === 3 && lines.every((line) => line.service === 'image-classifier'))

  const unknown = await towline(['down', 'nobody', ...own])
  assert.deepEqual([unknown.code, /running: image-classifier/.test(unknown.err)], [3, true])
  const down = await towline(['down', 'image-classifier', ...own])
  assert.equal(down.code, 0, down.err)
  assert.deepEqual(findProcesses(project), [])
  assert.equal((await towline(['status', ...own])).code, 3)
})

test('an attached service ends with its terminal, and a broken spec starts nothing', async (t) => {
  const project = createProject(t)
  const file = join(project, 'towline.yaml')
  const model = join(root, 'test', 'models', 'mlp-dynamic.onnx')
  const lines = [
    'apiVersion: towline.dev/v1alpha1',
    'kind: ModelService',
    'metadata:',
    '  name: mlp',
    'spec:',
    `  model: { uri: ${model} }`,
  ]
  writeFileSync(file, [...lines, '  replica: 2', '  resources: { memory: 1GB }', ''].join('\n'))
  const broken = await towline(['up', file, '--port', '0', '--project', project])
  assert.equal(broken.code, 2)
  assert.match(broken.err, /towline\.yaml:7:3 error TL_SPEC_UNKNOWN_KEY .*did you mean `replicas`/)
  assert.match(broken.err, /towline\.yaml:8:\d+ error TL_SPEC_QUANTITY .*1GB/)
  assert.deepEqual(findProcesses(project), [])

  writeFileSync(file, [...lines, ''].join('\n'))
  const child = start(['up', file, '--port', '0', '--project', project])
  const text = await untilPrinted(child, /Ctrl-C/)
  assert.doesNotMatch(text, /\u001b/)
  child.kill('SIGINT')
  assert.equal((await collect(child)).code, 0)
  assert.deepEqual(findProcesses(project), [])
})

test('init writes files that pass the check, and overwrites nothing', async (t) => {
  const project = createProject(t)
  const folder = join(project, 'model')
  mkdirSync(folder)
  cpSync(join(example, 'model', 'model.onnx'), join(folder, 'model.onnx'))
  const first = await towline(['init', './model', '--labels', join(example, 'model', 'labels.txt')], project)
  assert.equal(first.code, 0, first.err)
  assert.match(first.out, /not known {4}how pixels were scaled/)
  const check = await towline(['check'], project)
  assert.equal(check.code, 0, check.err)
  const again = await towline(['init', './model'], project)
  assert.deepEqual([again.code, /TL_FILE_EXISTS.*towline\.yaml/.test(again.err)], [2, true])
  writeFileSync(join(project, 'noise.onnx'), 'this is no model')
  const noise = await towline(['init', 'noise.onnx', '--force'], project)
  assert.match(noise.err, /TL_MODEL_UNLOADABLE.*is not an ONNX model/)
})

test('one replica serves in the foreground and drains at SIGTERM', async (t) => {
  const project = createProject(t)
  const file = join(project, 'towline.yaml')
  const model = join(root, 'test', 'models', 'mlp-dynamic.onnx')
  writeFileSync(
    file,
    `apiVersion: towline.dev/v1alpha1\nkind: ModelService\nmetadata: { name: mlp }\nspec: { model: { uri: ${model} } }\n`,
  )
  const child = start(['serve', file, '--port', '0'])
  t.after(() => void child.kill('SIGKILL'))
  const text = await untilPrinted(child, /metrics +http/)
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(text) ?? assert.fail(text)
  const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] })
  assert.equal((await fetch(`${url}/v2/models/mlp/infer`, { method: 'POST', body })).status, 200)
  child.kill('SIGTERM')
  assert.equal((await collect(child)).code, 0)
})

test('a running service is looked at, explained, scaled and restarted by name', async (t) => {
  const project = createProject(t)
  const own = ['--project', project]
  const up = await towline(['up', join(example, 'towline.yaml'), '--port', '0', '--detach', ...own])
  assert.equal(up.code, 0, up.err)
  const scaled = await towline(['scale', 'image-classifier', '1', ...own])
  assert.deepEqual(
    [scaled.code, /ready {8}image-classifier: 1 of 1 replicas ready/.test(scaled.out)],
    [0, true],
    scaled.err,
  )
  assert.match((await towline(['status', ...own])).out, /scale {8}1: set by hand/)
  const restarted = await towline(['restart', 'image-classifier', ...own])
  assert.equal(restarted.code, 0, restarted.err)
  const top = await towline(['top', '--interval', '300ms', ...own])
  assert.match(top.out, /^SERVICE .*\nimage-classifier +Ready +1\/1 +0\.0 .*\n {2}image-classifier-2-\w+ +Ready/)
  const why = await towline(['why', 'image-classifier', ...own])
  assert.match(why.out, /^image-classifier is Ready: 1 of 1 replicas ready\. It serves revision 2 .* set by hand\./)
  assert.equal((await towline(['scale', 'image-classifier', 'many', ...own])).code, 2)
  assert.equal((await towline(['why', 'nobody', ...own])).code, 3)
  const zero = await towline(['scale', 'image-classifier', '0', ...own])
  assert.match(zero.out, /idle {9}image-classifier: it was scaled to 0 by hand, and requests are turned away/)
  assert.equal((await towline(['down', '--all', ...own])).code, 0)
})

test('the runtime reports to nobody: a replica leaves nothing in the home folder', async (t) => {
  const home = createProject(t)
  const child = start(['serve', join(example, 'towline.yaml'), '--port', '0'], { env: { HOME: home } })
  t.after(() => void child.kill('SIGKILL'))
  await untilPrinted(child, /metrics +http/)
  child.kill('SIGTERM')
  assert.equal((await collect(child)).code, 0)
  assert.deepEqual(readdirSync(home), [])
})
