import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import { runExecPlugin } from './exec-plugin.ts'
import { openPluginLogin } from './plugin-login.ts'
import { openSharedLogin } from './shared-login.ts'

const entry = (fields: Record<string, unknown>) => ({ name: 'me', file: '/config', fields })
const cluster = entry({ server: 'https://10.0.0.1' })

/** A command with this shell script. */
function plugin(t: TestContext, script: string, more: Record<string, unknown> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'towline-plugin-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const command = join(dir, 'sign-in')
  writeFileSync(command, `#!/bin/sh\n${script}\n`)
  chmodSync(command, 0o755)
  return { dir, user: entry({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command, ...more } }) }
}

const answer = (status: object): string => `echo '${JSON.stringify({ kind: 'ExecCredential', status })}'`

test('a token, and with it when it ends; how to answer is told to the command', async (t) => {
  const says = `echo "$KUBERNETES_EXEC_INFO" >"$(dirname "$0")/info"`
  const credential = answer({ token: 't0ken\n', expirationTimestamp: '2026-01-01T00:00:00Z' })
  const { dir, user } = plugin(t, `${says}; ${credential.replace('\\n', '\\\\n')}`, { provideClusterInfo: true })
  const { authority, endsAtMs } = await runExecPlugin(user, cluster)
  assert.deepEqual([authority.headers, endsAtMs], [{ authorization: 'Bearer t0ken' }, Date.UTC(2026, 0, 1)])
  const info = JSON.parse(readFileSync(join(dir, 'info'), 'utf8')) as { spec: { cluster: { server: string } } }
  assert.equal(info.spec.cluster.server, 'https://10.0.0.1')
})

test('an answer without a login, another one, too much of it or none: each is told, and never what it was', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['echo null', /something other than an ExecCredential/],
    ['echo s3cret', /something other than an ExecCredential/],
    [answer({}), /without a token or a certificate/],
    [answer({ token: '' }), /without a token or a certificate/],
    ['exit 3', /ended with exit code 3/],
    ['head -c 2000000 /dev/zero 2>/dev/null', /more than 1 MiB/],
    ['exec sleep 60', /gave no answer within 0\.2 s/],
    // The sleep has the other end of the pipe, and outlives the shell.
    ['sleep 3; :', /gave no answer within 0\.2 s/],
    [answer({ token: 's3cret\\nmore' }), /by `.*sign-in`, which: its `authorization` has characters/],
    [answer({ token: 's3cret', clientCertificateData: 'x' }), /a certificate without its key/],
  ]
  for (const [script, says] of cases) {
    const { user } = plugin(t, script)
    await assert.rejects(
      runExecPlugin(user, cluster, script.includes('sleep') ? { timeoutMs: 200 } : {}),
      (error: Error) => {
        assert.match(error.message, says)
        assert.doesNotMatch(error.message, /s3cret/)
        return true
      },
    )
  }
})

test('it is asked once for all who wait, again when it is over, and once for all who were refused', async (t) => {
  const count = `n=$(cat "$0.n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$0.n"`
  const credential =
    '{"kind":"ExecCredential","status":{"token":"t\'$n\'","expirationTimestamp":"2026-01-01T00:00:00Z"}}'
  const { user } = plugin(t, `${count}; echo '${credential}'`)
  let nowMs = Date.UTC(2025, 11, 31)
  const clock = { ...systemClock, nowMs: () => nowMs }
  const login = openPluginLogin({ context: entry({}), cluster, user }, clock)
  const tokens = async (...asked: Promise<{ headers: Readonly<Record<string, string>> }>[]) =>
    (await Promise.all(asked)).map(({ headers }) => headers['authorization'])
  assert.deepEqual(await tokens(login(), login(), login()), ['Bearer t1', 'Bearer t1', 'Bearer t1'])
  const first = await login()
  assert.deepEqual(await tokens(login(first), login(first), login()), ['Bearer t2', 'Bearer t2', 'Bearer t2'])
  // Refused late: a newer one is there already.
  assert.deepEqual(await tokens(login(first)), ['Bearer t2'])
  nowMs = Date.UTC(2026, 0, 2)
  assert.deepEqual(await tokens(login()), ['Bearer t3'])
})

test('who is refused while somebody else asks gets a new login, one for all, also where it is the same again', async () => {
  const authorities = ['old', 'new'].map((authorization) => ({ headers: { authorization } }))
  const asked: boolean[] = []
  let turn = Promise.withResolvers<void>()
  let renewed = authorities[1]!
  const login = openSharedLogin(async (isRefused) => {
    asked.push(isRefused)
    await turn.promise
    return isRefused ? renewed : authorities[0]!
  })
  const waiting = [login(), login(authorities[0]), login(authorities[0])]
  turn.resolve()
  assert.deepEqual(await Promise.all(waiting), [authorities[0], authorities[1], authorities[1]])
  assert.deepEqual(asked, [false, false, true])
  turn = Promise.withResolvers()
  renewed = authorities[0]!
  asked.length = 0
  const again = [login(authorities[0]), login(authorities[0]), login(authorities[0])]
  turn.resolve()
  assert.deepEqual(await Promise.all(again), [authorities[0], authorities[0], authorities[0]])
  assert.deepEqual(asked, [false, true])
})

test('a command that hangs ends with who waits for it', async (t) => {
  const { dir, user } = plugin(t, 'echo $$ >"$(dirname "$0")/pid"; exec sleep 60')
  const ending = new AbortController()
  const ended = assert.rejects(runExecPlugin(user, cluster, { signal: ending.signal }), /enough/)
  const pid = (): string => readFileSync(join(dir, 'pid'), 'utf8').trim()
  await until('a start', () => existsSync(join(dir, 'pid')) && pid() !== '')
  ending.abort(new Error('enough'))
  await ended
  await until('an end', () => !isAlive(Number(pid())))
})

test('an apiVersion that kubectl would not take is told', async (t) => {
  const { user } = plugin(t, 'echo null', { apiVersion: 'client.authentication.k8s.io/v1alpha1' })
  await assert.rejects(runExecPlugin(user, cluster), { code: 'TL_KUBECONFIG_UNUSABLE', message: /v1alpha1/ })
})

async function until(what: string, look: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (look()) return
    await sleep(5)
  }
  assert.fail(`there was not ${what}`)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
