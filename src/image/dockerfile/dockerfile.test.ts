import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { planImage } from '../plan/plan-image.ts'
import { readRuntimeLock } from '../runtime/runtime-lock.ts'
import { renderBuildFiles } from './build-files.ts'
import { renderDockerfile, renderDockerignore } from './dockerfile.ts'

const { lock } = readRuntimeLock()

function planOf(label = 'plain') {
  return planImage({
    name: 'cats',
    platform: { os: 'linux', architecture: 'amd64' },
    base: { reference: 'base:1', why: 'a base' },
    model: {
      digest: 'sha256:aa',
      isFolder: true,
      files: [
        { name: 'card.yaml', file: 'model/card.yaml', sizeBytes: 10, sha256: 'a' },
        { name: 'my model.onnx', file: 'model/my model.onnx', sizeBytes: 2e6, sha256: 'b' },
      ],
    },
    settings: { port: 8080 },
    startupTimeoutMs: 60_000,
    inputsHash: 'bb',
    runtime: lock,
    runtimeHash: 'cc',
    labels: { note: label },
    env: [],
    maxLayerBytes: 10e9,
  })
}

const options = {
  file: 'Dockerfile',
  buildBase: 'node:24',
  npmrc: false,
  modelFiles: new Map([
    ['card.yaml', 'model/card.yaml'],
    ['my model.onnx', 'model/my model.onnx'],
  ]),
}

test('it has two stages, a layer for each of the plan, and nothing that needs a newer builder', () => {
  const text = renderDockerfile(planOf(), options)
  assert.equal(text.match(/^FROM /gm)?.length, 2)
  for (const { name, content } of planOf().layers)
    if (content.kind === 'Packages') assert.ok(text.includes(`COPY --from=build /layers/${name}/ /\n`), name)
  assert.ok(!/--mount|--link|--chmod|^# syntax/m.test(text))
  assert.match(text, /^USER 65532:65532$/m)
  assert.match(text, /^ENTRYPOINT \["\/opt\/towline\/node\/bin\/node",/m)
  assert.match(text, /^HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \\\n {2}CMD \["/m)
})

test('npm settings are a secret of the one step that needs them, and never copied', () => {
  const text = renderDockerfile(planOf(), { ...options, npmrc: true })
  assert.match(text, /^RUN --mount=type=secret,id=npmrc,target=\/root\/\.npmrc npm ci /m)
  assert.equal(text.match(/--mount/g)?.length, 1)
})

test('paths with spaces and labels with quotes and variables keep their meaning', () => {
  const text = renderDockerfile(planOf('a "b" $HOME \\'), options)
  assert.ok(text.includes('COPY --chown=65532:65532 ["model/my model.onnx","/models/my model.onnx"]'))
  assert.ok(text.includes('"note"="a \\"b\\" \\$HOME \\\\"'))
})

test('a file whose name is a pattern is copied itself', () => {
  const modelFiles = new Map([
    ['card.yaml', 'model/card.yaml'],
    ['my model.onnx', 'model/[a]*.onnx'],
  ])
  const text = renderDockerfile(planOf(), { ...options, modelFiles })
  assert.ok(text.includes('"model/[[]a][*].onnx"'), text)
  assert.ok(renderDockerignore({ ...options, modelFiles }).includes('!model/[[]a][*].onnx\n'))
})

test('the ignore file lets in only what the Dockerfile copies', () => {
  assert.deepEqual(renderDockerignore(options).split('\n').slice(1), [
    '**',
    '!Dockerfile.files',
    '!model/card.yaml',
    '!model/my model.onnx',
    '',
  ])
})

test('the build stage keeps what the recipe keeps, in the folder of its layer, readable by everybody', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-lay-out-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (path: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), path, { mode: 0o600 })
  }
  for (const { path, text } of renderBuildFiles(lock, false)) writeFileSync(join(folder, path), text)
  for (const { path, platform } of lock.packages)
    if (platform === undefined || path.endsWith(process.arch))
      for (const file of ['index.js', 'index.d.ts']) write(`${path}/${file}`)
  write(`node_modules/node-linux-${process.arch}/bin/node`)
  write(`node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/a.node`)
  write('node_modules/onnxruntime-node/bin/napi-v6/darwin/arm64/a.node')
  const { status, stderr } = spawnSync(process.execPath, ['lay-out.mjs', join(folder, 'out')], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const at = (path: string): string => join(folder, 'out', path)
  assert.equal(statSync(at('node/opt/towline/node/bin/node')).mode & 0o777, 0o755)
  assert.equal(statSync(at('packages/opt/towline/node_modules/pino/index.js')).mode & 0o777, 0o644)
  const runtime = 'onnxruntime/opt/towline/node_modules/onnxruntime-node/bin/napi-v6'
  assert.ok(readFileSync(at(`${runtime}/linux/${process.arch}/a.node`)).length > 0)
  for (const left of [`${runtime}/darwin`, 'packages/opt/towline/node_modules/pino/index.d.ts', 'photos'])
    assert.throws(() => statSync(at(left)), { code: 'ENOENT' }, left)
})
