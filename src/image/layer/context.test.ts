import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Context, listContext } from './context.ts'

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

/** `path:line message` of each finding. */
function shown({ findings }: Context, root: string): string[] {
  return findings.map(({ at, message }) => `${relative(root, at.file)}:${at.line} ${message}`)
}

/** Made here, so that no secret has to stand in the sources. */
const fake = {
  aws: `AKIA${'Q'.repeat(16)}`,
  github: `ghp_${'a1'.repeat(18)}`,
  face: `hf_${'aB'.repeat(17)}`,
  key: ['-----BEGIN RSA', 'PRIVATE KEY-----'].join(' '),
}

test('a folder is listed in the order of bytes, with what may be executed and what was left out', async (t) => {
  const root = makeFolder(t, {
    'b.txt': 'b',
    'B/run.sh': 'echo',
    'a-b': '',
    'a/x': 'xx',
    '.git/config': fake.github,
    'a/__pycache__/x.pyc': '',
    '.DS_Store': '',
    'a/.x.swp': '',
    'a/x~': '',
  })
  mkdirSync(join(root, 'empty'))
  chmodSync(join(root, 'B/run.sh'), 0o700)
  const context = await listContext(root, 'app')
  assert.deepEqual(context.findings, [])
  assert.deepEqual(
    context.entries.map((entry) => entry.kind === 'File' && [entry.path, entry.mode.toString(8), entry.content]),
    [
      ['app/B/run.sh', '755', { kind: 'Disk', file: join(root, 'B/run.sh'), sizeBytes: 4 }],
      ['app/a/x', '644', { kind: 'Disk', file: join(root, 'a/x'), sizeBytes: 2 }],
      ['app/a-b', '644', { kind: 'Disk', file: join(root, 'a-b'), sizeBytes: 0 }],
      ['app/b.txt', '644', { kind: 'Disk', file: join(root, 'b.txt'), sizeBytes: 1 }],
    ],
  )
  assert.deepEqual(context.leftOut, ['.DS_Store', '.git', 'a/.x.swp', 'a/__pycache__', 'a/x~'])
})

test('a link to a file inside becomes a copy; one that leads out, to a folder or to nothing is a finding', async (t) => {
  const root = makeFolder(t, { 'blobs/one': 'content', 'sub/y': '' })
  symlinkSync('blobs/one', join(root, 'model.onnx'))
  symlinkSync('/etc/hostname', join(root, 'out'))
  symlinkSync('..', join(root, 'up'))
  symlinkSync('sub', join(root, 'to-folder'))
  symlinkSync('none', join(root, 'broken'))
  symlinkSync('loop', join(root, 'loop'))
  const context = await listContext(root, '')
  const model = context.entries.find(({ path }) => path === 'model.onnx')
  assert.deepEqual(model, {
    kind: 'File',
    path: 'model.onnx',
    mode: 0o644,
    content: { kind: 'Disk', file: join(root, 'blobs/one'), sizeBytes: 7 },
  })
  assert.deepEqual(shown(context, root), [
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
    const context = await listContext(root, 'app')
    assert.deepEqual(shown(context, root), [
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
  const context = await listContext(root, 'app')
  assert.deepEqual(shown(context, root), [
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
  const [, second] = context.findings.filter(({ at }) => at.file.endsWith('a.py'))
  assert.deepEqual([second?.at.column, second?.at.endColumn], [6, 6 + fake.github.length])
  const said = JSON.stringify(context.findings)
  for (const secret of [...Object.values(fake), 'sesame']) assert.ok(!said.includes(secret), 'a secret was printed')
})

test('a folder that is not there, and a file in its place, are failures that name it', async (t) => {
  const root = makeFolder(t, { a: '' })
  for (const path of [join(root, 'none'), join(root, 'a')])
    await assert.rejects(listContext(path, 'app'), { code: 'TL_FILE_MISSING', message: new RegExp(path) })
})
