import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createTerminal } from '../term/terminal.ts'
import { type PlannedImages, planImages } from './plan-request.ts'
import { writeDockerfile } from './write-dockerfile.ts'

const terminal = { ...createTerminal(process), err: () => undefined }

interface Project {
  readonly folder: string
  readonly codeRoot: string
  plan(base?: string): Promise<PlannedImages>
}

async function createProject(t: TestContext, uri = './model'): Promise<Project> {
  const root = mkdtempSync(join(tmpdir(), 'towline-dockerfile-'))
  t.after(() => rmSync(root, { recursive: true }))
  const folder = join(root, 'project')
  const file = join(folder, 'towline.yaml')
  for (const needed of [folder, join(folder, uri)]) mkdirSync(needed, { recursive: true })
  writeFileSync(join(folder, uri, 'model.onnx'), 'weights')
  const metadata = 'apiVersion: towline.dev/v1alpha1\nkind: ModelService\nmetadata: { name: cats }\n'
  writeFileSync(file, `${metadata}spec: { model: { uri: ${uri} } }\n`)
  const plan = (base?: string): Promise<PlannedImages> =>
    planImages(terminal, {
      file,
      platforms: [{ os: 'linux', architecture: 'amd64' }],
      labels: {},
      maxLayerBytes: 1e9,
      update: false,
      locked: false,
      base,
    })
  const codeRoot = join(root, 'code')
  for (const module of (await plan()).runtime.code.files) {
    mkdirSync(dirname(join(codeRoot, module)), { recursive: true })
    writeFileSync(join(codeRoot, module), '')
  }
  return { folder, codeRoot, plan }
}

test('it writes all that a build copies, and a second time the same', async (t) => {
  const { folder, codeRoot, plan } = await createProject(t)
  const { file } = await writeDockerfile(await plan(), codeRoot, false)
  const text = readFileSync(join(folder, file), 'utf8')
  for (const [, from = ''] of text.matchAll(/^COPY --chown=\S+ (\S+) /gm))
    assert.ok(existsSync(join(folder, from)), from)
  const before = readdirSync(folder).toSorted()
  assert.deepEqual(before, ['Dockerfile', 'Dockerfile.dockerignore', 'Dockerfile.files', 'model', 'towline.yaml'])
  await writeDockerfile(await plan(), codeRoot, false)
  assert.deepEqual(readdirSync(folder).toSorted(), before)
  assert.equal(readFileSync(join(folder, file), 'utf8'), text)
})

test("a person's own Dockerfile stays, and ours takes another name", async (t) => {
  const { folder, codeRoot, plan } = await createProject(t)
  writeFileSync(join(folder, 'Dockerfile'), 'FROM own')
  assert.equal((await writeDockerfile(await plan(), codeRoot, false)).file, 'Dockerfile.towline')
  assert.equal(readFileSync(join(folder, 'Dockerfile'), 'utf8'), 'FROM own')
  writeFileSync(join(folder, 'Dockerfile.towline'), 'FROM own too')
  await assert.rejects(writeDockerfile(await plan(), codeRoot, false), { code: 'TL_FILE_EXISTS' })
})

test('what lies beside it under a name that it needs is not replaced', async (t) => {
  const { folder, codeRoot, plan } = await createProject(t)
  mkdirSync(join(folder, 'Dockerfile.files'))
  writeFileSync(join(folder, 'Dockerfile.files', 'own'), '')
  await assert.rejects(writeDockerfile(await plan(), codeRoot, false), {
    code: 'TL_FILE_EXISTS',
    message: /Dockerfile\.files/,
  })
  assert.deepEqual(readdirSync(folder).toSorted(), ['Dockerfile.files', 'model', 'towline.yaml'])
})

test('a model that a build cannot see is refused: outside of the folder, or behind a link', async (t) => {
  const outside = await createProject(t, '../elsewhere')
  await assert.rejects(writeDockerfile(await outside.plan(), outside.codeRoot, false), {
    code: 'TL_CONTEXT_REFUSED',
    message: /lies outside/,
  })
  const { folder, codeRoot, plan } = await createProject(t)
  writeFileSync(join(folder, 'model', 'other.bin'), '')
  symlinkSync('other.bin', join(folder, 'model', 'linked.bin'))
  await assert.rejects(writeDockerfile(await plan(), codeRoot, false), {
    code: 'TL_CONTEXT_REFUSED',
    message: /linked\.bin/,
  })
})

test('a base that only this machine has is refused: no other builder could read it', async (t) => {
  const { codeRoot, plan } = await createProject(t)
  await assert.rejects(writeDockerfile(await plan('oci:./base'), codeRoot, false), {
    code: 'TL_USAGE',
    message: /oci:\.\/base/,
  })
})
