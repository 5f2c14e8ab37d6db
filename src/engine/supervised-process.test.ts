import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { findProcesses } from './adoption.ts'
import { prepareProject, processFiles, projectPaths } from './paths.ts'
import { type ProcessExit, type SupervisedProcess, adoptProcess, launchProcess } from './supervised-process.ts'

/** A process that does what `code` says, with a configuration in the `run/` of a project. */
function launch(t: TestContext, code: string, more: Partial<Parameters<typeof launchProcess>[0]> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'towline-process-'))
  const paths = projectPaths(dir)
  prepareProject(paths)
  const files = processFiles(paths, 'mlp-1-abcde')
  const entry = join(dir, 'entry.mjs')
  writeFileSync(entry, code)
  const ended = Promise.withResolvers<void>()
  const launched = launchProcess({
    entry: pathToFileURL(entry),
    configFile: files.config,
    stderrFile: files.stderr,
    cwd: dir,
    env: {},
    onExit: ended.resolve,
    ...more,
  })
  t.after(async () => {
    launched.signal('SIGKILL')
    await ended.promise
    rmSync(dir, { recursive: true })
  })
  return { launched, files, paths, ended: ended.promise }
}

async function waitForExit(process: SupervisedProcess): Promise<ProcessExit> {
  for (;;) {
    const exit = process.exit()
    if (exit !== undefined) return exit
    await sleep(10)
  }
}

test('a child that ends is told with its exit code, and what it wrote to stderr is kept', async (t) => {
  const { launched, files, ended } = launch(t, "process.stderr.write('oh\\n'); process.exitCode = 3")
  await ended
  assert.deepEqual(launched.exit(), { kind: 'Code', code: 3 })
  assert.equal(readFileSync(files.stderr, 'utf8'), 'oh\n')
  launched.signal('SIGTERM')
})

test('a running child is found by its configuration and can be adopted; how it ended is then unknown', async (t) => {
  const { launched, paths, ended } = launch(t, 'setInterval(() => {}, 1000)')
  // Between fork and exec a child still has its parent's arguments.
  let found = findProcesses(paths)
  for (let tries = 0; found.length === 0 && tries < 200; tries++) {
    await sleep(10)
    found = findProcesses(paths)
  }
  assert.deepEqual(found, [{ name: 'mlp-1-abcde', identity: launched.identity }])
  const adopted = adoptProcess(launched.identity)
  assert.equal(adopted.exit(), undefined)
  adopted.signal('SIGKILL')
  assert.deepEqual(await waitForExit(adopted), { kind: 'Unseen' })
  await ended
  assert.deepEqual(launched.exit(), { kind: 'Signal', signal: 'SIGKILL' })
  assert.deepEqual(findProcesses(paths), [])
})

test('a later process with the same pid is not the one adopted', () => {
  const adopted = adoptProcess({ pid: process.pid, startTicks: 1 })
  assert.deepEqual(adopted.exit(), { kind: 'Unseen' })
  adopted.signal('SIGKILL')
})

test('preparing a project twice is fine, and a project folder that is not there is an error', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-paths-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const paths = projectPaths(dir)
  prepareProject(paths)
  prepareProject(paths)
  assert.equal(readFileSync(join(paths.root, '.gitignore'), 'utf8'), '*\n')
  assert.throws(() => prepareProject(projectPaths(join(dir, 'none'))), { code: 'TL_FILE_MISSING' })
  mkdirSync(join(dir, 'b'))
  writeFileSync(join(dir, 'b', '.towline'), 'a file')
  assert.throws(() => prepareProject(projectPaths(join(dir, 'b'))), { code: 'TL_FILE_UNWRITABLE' })
})

test("limits are the kernel's own, under the pid that is supervised, and a lower one that holds already stays", async (t) => {
  const code = "import fs from 'node:fs'; console.error(process.pid, fs.readFileSync('/proc/self/limits', 'utf8'))"
  const outcome = async (openFiles: number): Promise<{ text: string; pid: number }> => {
    const { launched, files, ended } = launch(t, code, { limits: { openFiles } })
    await ended
    assert.deepEqual(launched.exit(), { kind: 'Code', code: 0 })
    return { text: readFileSync(files.stderr, 'utf8'), pid: launched.identity.pid }
  }
  const { text, pid } = await outcome(512)
  assert.match(text, new RegExp(`^${pid} `))
  assert.match(text, /^Max open files\s+512\s+512\s/m)
  assert.match(text, /^Max core file size\s+0\s+0\s/m)
  const own = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? ''
  // Who may raise limits, as root often may, gets the higher one.
  const mayRaise = spawnSync('/bin/sh', ['-c', `ulimit -n ${Number(own) + 1}`]).status === 0
  if (!mayRaise) assert.match((await outcome(Number(own) + 1)).text, new RegExp(`^Max open files.* ${own} `, 'm'))
})
