/**
 * `npm test [suite | file …] [--kills N]`: runs the suites one after the other, keeps each to its budget, and adds them up. The last
 * line is the sum. Without arguments all suites run. `--kills`: how often the chaos suite kills the engine during rollouts.
 */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { renderCounts } from './reporter.ts'

/** `shared`: all files in a few processes side by side (fast, no global state allowed); `apart`: a process for each file, one at a time. */
const suites = [
  { name: 'unit', files: ['src/**/*.test.ts', 'test/kit/*.test.ts'], isolation: 'shared', budgetS: 60 },
  { name: 'conformance', files: ['test/conformance/*.test.ts'], isolation: 'apart', budgetS: 180 },
  { name: 'e2e', files: ['test/e2e/*.test.ts', 'test/e2e/behaviour/engine.test.ts'], isolation: 'apart', budgetS: 240 },
  { name: 'chaos', files: ['test/chaos/*.test.ts'], isolation: 'apart', budgetS: 900 },
  { name: 'image', files: ['test/image/*.test.ts'], isolation: 'apart', budgetS: 900 },
  {
    name: 'cluster',
    files: ['test/cluster/*.test.ts', 'test/e2e/behaviour/cluster.test.ts'],
    isolation: 'apart',
    budgetS: 900,
  },
  { name: 'pack', files: ['test/pack/*.test.ts'], isolation: 'apart', budgetS: 420 },
] as const

type Suite = {
  readonly name: string
  readonly files: readonly string[]
  readonly isolation: 'shared' | 'apart'
  readonly budgetS: number
}

const root = join(import.meta.dirname, '..')
/** Among which the files of a `shared` suite are dealt: what CI has cores. */
const sharedProcesses = 2
/** What one kill takes at most, with the rollouts around it. */
const killS = 6
const defaultKills = 30
const { values, positionals } = parseArgs({ allowPositionals: true, options: { kills: { type: 'string' } } })
const kills = parseKills(values.kills)
const total = { passed: 0, failed: 0, skipped: 0 }
const chosen = chooseSuites(positionals)
for (const suite of chosen) {
  const startMs = performance.now()
  const count = await runSuite(suite)
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += count[key]
  console.log(
    `${suite.name}: ${renderCounts(count)} in ${((performance.now() - startMs) / 1000).toFixed(1)} s of ${suite.budgetS} s\n`,
  )
}
console.log(renderCounts(total))
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

function parseKills(text = String(defaultKills)): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  console.error(`error: \`${text}\` is no number of kills; write a whole number from 1`)
  process.exit(2)
}

function chooseSuites(wanted: readonly string[]): readonly Suite[] {
  if (wanted.length === 0) return suites
  return wanted.map((word) => {
    const named = suites.find((suite) => suite.name === word)
    if (named !== undefined) return named
    const home = suites.find((suite) => suite.files.some((pattern) => globSync(pattern, { cwd: root }).includes(word)))
    if (home !== undefined) return { ...home, name: word, files: [word] }
    console.error(
      `error: \`${word}\` is neither a suite (${suites.map((suite) => suite.name).join(', ')}) nor a test file`,
    )
    process.exit(2)
  })
}

async function runSuite(suite: Suite): Promise<typeof total> {
  const files = suite.files.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted()
  if (files.length === 0) return { passed: 0, failed: 1, skipped: 0 }
  const budgetS = suite.budgetS + Math.max(0, kills - defaultKills) * killS
  const hands = suite.isolation === 'shared' ? Math.min(sharedProcesses, files.length) : 1
  const counts = await Promise.all(
    Array.from({ length: hands }, (_, hand) =>
      runFiles(
        files.filter((_file, at) => at % hands === hand),
        suite,
        budgetS,
      ),
    ),
  )
  return counts.reduce((sum, count) => ({
    passed: sum.passed + count.passed,
    failed: sum.failed + count.failed,
    skipped: sum.skipped + count.skipped,
  }))
}

/** Runs files with one runner, which starts a process for each of them or takes them all itself. */
async function runFiles(files: readonly string[], suite: Suite, budgetS: number): Promise<typeof total> {
  const folder = mkdtempSync(join(tmpdir(), 'towline-test-'))
  const countsFile = join(folder, 'counts.json')
  const args = [
    '--test',
    `--test-isolation=${suite.isolation === 'shared' ? 'none' : 'process'}`,
    '--test-concurrency=1',
    '--test-reporter=./test/reporter.ts',
    '--test-reporter-destination=stdout',
    ...files,
  ]
  // A group of its own, so that a suite over its budget ends with everything it started in the foreground.
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    detached: true,
    env: { ...process.env, TOWLINE_TEST_COUNTS: countsFile, TOWLINE_KILLS: String(kills) },
  })
  const pid = child.pid
  const endGroup = (signal: NodeJS.Signals): void => {
    if (pid !== undefined && child.exitCode === null) process.kill(-pid, signal)
  }
  process.once('SIGINT', () => endGroup('SIGINT'))
  let late = false
  const budget = setTimeout(() => {
    late = true
    endGroup('SIGKILL')
  }, budgetS * 1000)
  const { promise, resolve } = Promise.withResolvers<number>()
  child.on('close', (code) => resolve(code ?? 1))
  const status = await promise
  clearTimeout(budget)
  const count = readCounts(countsFile)
  rmSync(folder, { recursive: true })
  if (late) console.log(`FAIL suite ${suite.name} took longer than its budget of ${budgetS} s and was ended`)
  // A process that died, or was ended, without reporting a failure is one.
  return status !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count
}

function readCounts(file: string): typeof total {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}
