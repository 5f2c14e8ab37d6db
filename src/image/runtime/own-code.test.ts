import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { digestCode, traceModules } from './own-code.ts'

function writeModules(t: TestContext, modules: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'towline-code-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(modules)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

test('every form of import is followed, threads too, and packages are told by their name', (t) => {
  const root = writeModules(t, {
    'serve/start.js': [
      "import { a } from '../base/a.js';",
      "import './effect.js';",
      "export { b } from '../base/b.js';",
      "import { readFileSync } from 'node:fs';",
      "const lazy = await import('@scope/pkg/deep');",
      "new Worker(beside(import.meta.url, 'model-thread'))",
    ].join('\n'),
    'serve/effect.js': "import { c } from 'plain/sub.js'",
    'serve/model-thread.js': '',
    'base/a.js': "import { start } from '../serve/start.js'",
    'base/b.js': "import {\n  several,\n  lines,\n} from './c.js'",
    'base/c.js': '',
    'base/unused.js': '',
  })
  const traced = traceModules(root, ['serve/start.js'])
  assert.deepEqual(traced.files, [
    'base/a.js',
    'base/b.js',
    'base/c.js',
    'serve/effect.js',
    'serve/model-thread.js',
    'serve/start.js',
  ])
  assert.deepEqual(traced.packages, ['@scope/pkg', 'plain'])
})

test('the digest follows content and paths, and a missing module has none', (t) => {
  const root = writeModules(t, { 'a.js': '1', 'b.js': '1' })
  const digest = digestCode(root, ['a.js'])
  assert.notEqual(digest, digestCode(root, ['b.js']))
  writeFileSync(join(root, 'a.js'), '2')
  assert.notEqual(digest, digestCode(root, ['a.js']))
  assert.equal(digestCode(root, ['a.js', 'gone.js']), undefined)
})
