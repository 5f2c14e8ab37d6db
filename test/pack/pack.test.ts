import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import {
  cpSync,
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
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { collect, root, untilPrinted } from '../kit/command.ts'

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** A copy of what git knows, so that packing cannot touch this checkout. */
function copyProject(folder: string): string {
  const copy = join(folder, 'copy')
  const names = run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], root).split('\0')
  for (const name of names.filter(
    (file) => file !== '' && !file.startsWith('examples/') && existsSync(join(root, file)),
  )) {
    mkdirSync(dirname(join(copy, name)), { recursive: true })
    cpSync(join(root, name), join(copy, name))
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** Some Node below 24 on this machine. */
function findOldNode(): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  return candidates.find((path) => existsSync(path) && Number(/^v(\d+)/.exec(run(path, ['--version'], root))?.[1]) < 24)
}

async function serveOnce(t: TestContext, bin: string, spec: string): Promise<void> {
  const child = spawn(process.execPath, [bin, 'serve', spec, '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => void child.kill('SIGKILL'))
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(await untilPrinted(child, /metrics +http/)) ?? []
  const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] })
  const answer = await fetch(`${url}/v2/models/mlp/infer`, { method: 'POST', body })
  assert.equal(answer.status, 200, await answer.text())
  child.kill('SIGTERM')
  assert.equal((await collect(child)).code, 0)
}

test('the packed product, installed into an empty folder, is a working command', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-pack-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const copy = copyProject(folder)
  const manifest = readFileSync(join(copy, 'package.json'), 'utf8')
  run('npm', ['pack', '--silent', '--pack-destination', folder], copy)
  assert.equal(readFileSync(join(copy, 'package.json'), 'utf8'), manifest, 'packing restores the manifest')

  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? assert.fail('no tarball')
  const consumer = join(folder, 'consumer')
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }')
  run(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball)],
    consumer,
  )
  const bins = readdirSync(join(consumer, 'node_modules', '.bin'))
  assert.ok(bins.includes('towline') && !bins.includes('node'), `its commands: ${bins.join(', ')}`)
  const published = JSON.parse(
    readFileSync(join(consumer, 'node_modules', 'towline', 'package.json'), 'utf8'),
  ) as Record<string, unknown>
  assert.deepEqual([published['optionalDependencies'], published['scripts']], [undefined, undefined])

  const bin = join(consumer, 'node_modules', 'towline', 'bin', 'towline.mjs')
  assert.equal(run(process.execPath, [bin, '--version'], consumer).trim(), published['version'])
  const spec = join(consumer, 'towline.yaml')
  const model = join(root, 'test', 'models', 'mlp-dynamic.onnx')
  writeFileSync(
    spec,
    `apiVersion: towline.dev/v1alpha1\nkind: ModelService\nmetadata: { name: mlp }\nspec: { model: { uri: ${model} } }\n`,
  )
  assert.match(run(process.execPath, [bin, 'check'], consumer), /no mistakes found/)
  await serveOnce(t, bin, spec)
  // The built code that the package carries is what the runtime lock names: the image is that of the clone.
  const build = ['build', spec, '--base', 'scratch', '--json']
  const digestBy = (command: readonly string[]): unknown =>
    (JSON.parse(run(process.execPath, [...command, ...build], consumer)) as { readonly digest: unknown }).digest
  assert.equal(digestBy([bin]), digestBy([join(root, 'src', 'cli', 'main.ts')]))
  run(
    process.execPath,
    ['--input-type=module', '-e', "import { defineService } from 'towline'; defineService({})"],
    consumer,
  )

  const old = findOldNode()
  if (old === undefined) return t.diagnostic('no Node below 24 here: its sentence was not seen')
  const refused = await collect(spawn(old, [bin, '--version'], { stdio: ['ignore', 'pipe', 'pipe'] }))
  assert.equal(refused.code, 2)
  assert.match(refused.err, /^error: towline needs Node 24 or newer, and this is Node \d+\.\d+\.\d+\.\n$/)
})
