import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { boundStderr, pruneLogs, readTail } from './log-files.ts'
import { type ProjectPaths, prepareProject, projectPaths } from './paths.ts'

function openProject(t: TestContext): ProjectPaths {
  const dir = mkdtempSync(join(tmpdir(), 'towline-logs-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const paths = projectPaths(dir)
  prepareProject(paths)
  return paths
}

test('the oldest logs of processes that are gone make room; those of living ones stay', (t) => {
  const paths = openProject(t)
  for (const [index, name] of ['a-1.log', 'a-2.log', 'a-3.log', 'a-4.log'].entries()) {
    const file = join(paths.logs, name)
    writeFileSync(file, '')
    // Sparse: no disk is used.
    truncateSync(file, 30 << 20)
    utimesSync(file, 1000 + index, 1000 + index)
  }
  pruneLogs(paths, ['a-1'])
  assert.deepEqual(readdirSync(paths.logs).toSorted(), ['a-1.log', 'a-3.log', 'a-4.log'])
})

test('a stderr file is cut when it is large, and its end can be read', (t) => {
  const file = join(openProject(t).logs, 'a.stderr')
  assert.equal(readTail(file), '')
  boundStderr(file)
  writeFileSync(file, `${'x'.repeat(5000)}end`)
  boundStderr(file)
  assert.equal(readTail(file, 6), 'xxxend')
  truncateSync(file, 2 << 20)
  boundStderr(file)
  assert.equal(statSync(file).size, 0)
})
