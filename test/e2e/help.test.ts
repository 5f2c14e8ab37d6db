import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { collect, root, towline } from '../kit/command.ts'

const commands = [
  'up',
  'status',
  'logs',
  'infer',
  'down',
  'init',
  'check',
  'serve',
  'build',
  'push',
  'pull',
  'inspect',
  'completion',
]

for (const command of commands) {
  test(`towline ${command} --help shows an example`, async () => {
    const { code, out } = await towline([command, '--help'])
    assert.equal(code, 0)
    assert.match(out, new RegExp(`Examples:\\n *.*towline ${command}`))
    assert.doesNotMatch(out, /\u001b/)
  })
}

test('what was not understood exits with 2 and a suggestion', async () => {
  const command = await towline(['statsu'])
  assert.deepEqual([command.code, /did you mean .?status/i.test(command.err)], [2, true])
  const flag = await towline(['status', '--jsno'])
  assert.deepEqual([flag.code, /--json/.test(flag.err)], [2, true])
  const value = await towline(['up', '--port', 'eighty'])
  assert.deepEqual([value.code, /`eighty` is not a port/.test(value.err)], [2, true])
  const alias = await towline(['check', '-n', 'ml'])
  assert.deepEqual([alias.code, alias.out], [2, ''])
  assert.match(alias.err, /^error TL_USAGE: .*no flag `-n`\n {2}hint: .*--help/)
})

test('where no engine runs, what would ask a cluster is said', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-empty-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { code, err } = await towline(['status'], folder)
  assert.equal(code, 3)
  assert.match(err, /^error TL_ENGINE_MISSING: .*\n {2}hint: `towline up FILE` starts one; .*`-n NAMESPACE`/)
})

test('help loads none of the heavy packages', async () => {
  const hook = `import { registerHooks } from 'node:module'
    registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context) } })`
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(hook)}`,
    join(root, 'src', 'cli', 'main.ts'),
    '--help',
  ]
  const { code, err } = await collect(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
  assert.equal(code, 0)
  assert.match(err, /@stricli/)
  assert.doesNotMatch(err, /node_modules\/(zod|undici|@grpc|onnxruntime-node|sharp|yaml|pino|prom-client)\//)
})

test('every shell gets a completion, and words are proposed', async () => {
  for (const shell of ['bash', 'zsh', 'fish'])
    assert.match((await towline(['completion', shell])).out, /towline completion __complete/)
  assert.match((await towline(['completion', '__complete', '--', 'sta'])).out, /^status$/m)
  assert.equal((await towline(['completion', 'tcsh'])).code, 2)
})
