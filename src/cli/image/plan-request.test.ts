import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createTerminal } from '../term/terminal.ts'
import { type ImageRequest, planImages } from './plan-request.ts'

const digest = `sha256:${'a'.repeat(64)}`

function createProject(t: TestContext, spec = 'model: { uri: ./model }') {
  const folder = mkdtempSync(join(tmpdir(), 'towline-plan-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'model'))
  writeFileSync(join(folder, 'model', 'model.onnx'), 'weights')
  const file = join(folder, 'towline.yaml')
  writeFileSync(
    file,
    `apiVersion: towline.dev/v1alpha1\nkind: ModelService\nmetadata: { name: cats }\nspec:\n  ${spec.replaceAll('\n', '\n  ')}\n`,
  )
  const said: string[] = []
  const terminal = { ...createTerminal(process), err: (text: string) => void said.push(text) }
  const plan = (more: Partial<ImageRequest> = {}) =>
    planImages(terminal, {
      file,
      platforms: [{ os: 'linux', architecture: 'amd64' }],
      labels: {},
      maxLayerBytes: 1e9,
      update: false,
      locked: false,
      ...more,
    })
  return { folder, plan, said }
}

test('the base is the one of the command, else of the spec, else of the table', async (t) => {
  const { plan } = createProject(t)
  assert.match((await plan()).plans[0].base.reference, /distroless\/cc-/)
  const stated = createProject(t, 'model: { uri: ./model }\nbuild: { base: debian:13-slim }')
  assert.equal((await stated.plan()).plans[0].base.reference, 'debian:13-slim')
  assert.equal((await stated.plan({ base: 'oci:./base' })).plans[0].base.reference, 'oci:./base')
})

test('what the lock pins of the same base is taken, unless it is to be looked up again', async (t) => {
  const { folder, plan } = createProject(t, 'model: { uri: ./model }\nbuild: { base: debian:13-slim }')
  writeFileSync(join(folder, 'towline.lock'), `inputs: a\nbase: debian:13-slim@${digest}\n`)
  assert.equal((await plan()).plans[0].base.reference, `debian:13-slim@${digest}`)
  assert.equal((await plan({ update: true })).plans[0].base.reference, 'debian:13-slim')
  assert.equal((await plan({ base: 'debian:12' })).plans[0].base.reference, 'debian:12')
  const labels = async (more: Partial<ImageRequest>) => (await plan(more)).plans[0].run.Labels
  assert.deepEqual(await labels({}), await labels({ update: true }), 'pinned or not, the label is the same')
})

test('all secrets and links out of the model are told at once, with their places, and nothing of a secret', async (t) => {
  const { folder, plan, said } = createProject(t)
  const secret = `ghp_${'x'.repeat(36)}`
  writeFileSync(join(folder, 'model', 'notes.txt'), `first\ntoken: ${secret}\n`)
  writeFileSync(join(folder, 'model', '.netrc'), 'machine a login b password c\n')
  symlinkSync('/etc/hostname', join(folder, 'model', 'host.txt'))
  await assert.rejects(plan(), { code: 'TL_CONTEXT_REFUSED', message: /\.netrc.*host\.txt.*notes\.txt/ })
  const text = said.join('\n')
  assert.match(text, /notes\.txt:2:8 error/)
  assert.match(text, /host\.txt:1:1 error TL_CONTEXT_REFUSED {2}the link leads out of the folder/)
  assert.ok(!text.includes(secret))
})

test('of a single model all that goes with it is looked at, and nothing else in its folder', async (t) => {
  const { folder, plan, said } = createProject(t, 'model: { uri: ./model/model.onnx }')
  const place = (name: string): string => join(folder, 'model', name)
  const secret = `ghp_${'x'.repeat(36)}`
  writeFileSync(place('notes.txt'), secret)
  writeFileSync(place('.env'), '')
  writeFileSync(place('model.onnx.data'), 'weights')
  writeFileSync(place('model.onnx.data~'), 'older')
  assert.deepEqual(
    (await plan()).model.files.map(({ name }) => name),
    ['model.onnx', 'model.onnx.data'],
  )
  assert.match(said.join('\n'), /left out {5}.*model\.onnx\.data~/)
  writeFileSync(place('model.onnx.txt'), `\n${secret}`)
  symlinkSync('/etc/hostname', place('model.onnx_data'))
  await assert.rejects(plan(), { code: 'TL_CONTEXT_REFUSED', message: /model\.onnx\.txt, .*model\.onnx_data$/ })
  const text = said.join('\n')
  assert.match(text, /model\.onnx\.txt:2:1 error TL_CONTEXT_REFUSED {2}it holds a token of GitHub/)
  assert.match(text, /model\.onnx_data:1:1 error TL_CONTEXT_REFUSED {2}the link leads out of the folder/)
  assert.ok(!text.includes(secret))
})

test('a digest in the spec that is not that of the files is refused', async (t) => {
  const { plan } = createProject(t, `model: { uri: ./model, digest: "${digest}" }`)
  await assert.rejects(plan(), { code: 'TL_SPEC_INVALID', message: /model\.digest is sha256:a/ })
})

test('what another runtime would need is refused by its field', async (t) => {
  const { plan, said } = createProject(t, 'model: { uri: ./model }\nbuild: { python: "3.12" }')
  await assert.rejects(plan(), { code: 'TL_SPEC_INVALID' })
  assert.match(
    said.join('\n'),
    /towline\.yaml:6:20 error TL_SPEC_UNSUPPORTED {2}`build\.python` is not supported yet by `towline build`/,
  )
})

test('with --locked another base than that of the lock is refused before anything is fetched', async (t) => {
  const { folder, plan } = createProject(t)
  writeFileSync(join(folder, 'towline.lock'), `inputs: a\nbase: debian:13-slim@${digest}\n`)
  await assert.rejects(plan({ locked: true }), { code: 'TL_LOCK_MISMATCH', message: /stands on debian:13-slim@/ })
  assert.equal(
    (await plan({ locked: true, base: 'debian:13-slim' })).plans[0].base.reference,
    `debian:13-slim@${digest}`,
  )
})
