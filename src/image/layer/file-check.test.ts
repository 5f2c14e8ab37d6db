import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Diagnostic } from '../../base/diagnostic.ts'
import { listModel } from '../../spec/model/model-print.ts'
import { checkFiles } from './file-check.ts'

/** A folder with these files, by path. */
function makeFolder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'towline-context-')))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** All that lies there, as a model's folder is listed. */
async function checkFolder(root: string): Promise<readonly Diagnostic[]> {
  return await checkFiles((await listModel(root)).entries, root)
}

/** `path:line message` of each finding. */
function shown(findings: readonly Diagnostic[], root: string): string[] {
  return findings.map(({ at, message }) => `${relative(root, at.file)}:${at.line} ${message}`)
}

/** Made here, so that no secret has to stand in the sources. */
const fake = {
  aws: `AKIA${'Q'.repeat(16)}`,
  github: `ghp_${'a1'.repeat(18)}`,
  face: `hf_${'aB'.repeat(17)}`,
  key: ['-----BEGIN RSA', 'PRIVATE KEY-----'].join(' '),
}

test('a link to a file inside is no finding; one that leads out, to a folder or to nothing is a finding', async (t) => {
  const root = makeFolder(t, { 'blobs/one': 'content', 'sub/y': '' })
  symlinkSync('blobs/one', join(root, 'model.onnx'))
  symlinkSync('/etc/hostname', join(root, 'out'))
  symlinkSync('..', join(root, 'up'))
  symlinkSync('sub', join(root, 'to-folder'))
  symlinkSync('none', join(root, 'broken'))
  symlinkSync('loop', join(root, 'loop'))
  assert.deepEqual(shown(await checkFolder(root), root), [
    'broken:1 the link leads to nothing (ENOENT)',
    'loop:1 the link leads to nothing (ELOOP)',
    'out:1 the link leads out of the folder',
    'to-folder:1 the link leads to a folder',
    'up:1 the link leads out of the folder',
  ])
})

test('a pipe, a socket and a name that deletes files of an image are findings, and nothing waits for them', async (t) => {
  const root = makeFolder(t, { '.wh.model': '' })
  execFileSync('mkfifo', [join(root, 'pipe')])
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(root, 'sock'), resolve))
  try {
    assert.deepEqual(shown(await checkFolder(root), root), [
      '.wh.model:1 the path has a part that begins with .wh., which deletes files of an image',
      'pipe:1 it is a pipe',
      'sock:1 it is a socket',
    ])
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test('secrets are found all at once, by name and by content, with their lines, and are never printed', async (t) => {
  const root = makeFolder(t, {
    '.env': 'A=1',
    '.env.local': '',
    '.netrc': '',
    '.npmrc': `registry=https://r.example/\n//r.example/:_authToken=sesame\n`,
    'sub/.npmrc': '//r.example/:_authToken=${TOKEN}\nsave-exact=true\n',
    'id_rsa.bak': '',
    'id_rsa.pub': 'ssh-rsa AAAA',
    '.git-credentials': '',
    '.docker/config.json': '{}',
    '.aws/credentials': '',
    'tls/server.pem': `${'# comment\n'.repeat(7000)}${fake.key}`.slice(-64_000) + 'x'.repeat(9000),
    'tls/public.pem': '-----BEGIN CERTIFICATE-----',
    'src/a.py': `import os\nkey = "${fake.aws}"\nt = '${fake.github}' # ${fake.face}\n`,
    'src/doc.md': 'AKIAIOSFODNN7EXAMPLE hf_hub_download ghp_short',
    'data.bin': `\0${fake.aws}`,
  })
  const findings = await checkFolder(root)
  assert.deepEqual(shown(findings, root), [
    '.aws/credentials:1 it is a file of credentials of AWS',
    '.docker/config.json:1 it is a file of logins of registries',
    '.env:1 it is a file of settings of an environment, which hold secrets',
    '.env.local:1 it is a file of settings of an environment, which hold secrets',
    '.git-credentials:1 it is a file of passwords of git',
    '.netrc:1 it is a file of passwords of hosts',
    '.npmrc:2 it holds a login of npm',
    'id_rsa.bak:1 it is a file of a private key of SSH',
    'src/a.py:2 it holds an access key of AWS',
    'src/a.py:3 it holds a token of GitHub',
    'src/a.py:3 it holds a token of Hugging Face',
    'tls/server.pem:6398 it holds a private key',
  ])
  const [, second] = findings.filter(({ at }) => at.file.endsWith('a.py'))
  assert.deepEqual([second?.at.column, second?.at.endColumn], [6, 6 + fake.github.length])
  const said = JSON.stringify(findings)
  for (const secret of [...Object.values(fake), 'sesame']) assert.ok(!said.includes(secret), 'a secret was printed')
})

test('a link to a secret inside the folder, and a folder that is itself a link', async (t) => {
  const root = makeFolder(t, { 'm/.netrc': '', 'm/a/key.txt': fake.key, 'm/model.onnx': '' })
  symlinkSync('.netrc', join(root, 'm/b'))
  symlinkSync('m', join(root, 'linked'))
  assert.deepEqual(shown(await checkFolder(join(root, 'linked')), join(root, 'linked')), [
    '.netrc:1 it is a file of passwords of hosts',
    'a/key.txt:1 it holds a private key',
    'b:1 it links to .netrc, passwords of hosts',
  ])
})

test('the name in the image counts for what an image may hold, the name on disk for what it is', async (t) => {
  const root = makeFolder(t, { '.env': '', 'fine.onnx': '' })
  const files = [
    { name: 'model.onnx', file: join(root, '.env') },
    { name: 'sub/.wh.x', file: join(root, 'fine.onnx') },
  ]
  assert.deepEqual(shown(await checkFiles(files, root), root), [
    '.env:1 it is a file of settings of an environment, which hold secrets',
    'fine.onnx:1 the path has a part that begins with .wh., which deletes files of an image',
  ])
})
