import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { askHelper } from './credential-helper.ts'
import { findCredentials, listConfigFiles } from './docker-config.ts'

const encoded = (pair: string): string => Buffer.from(pair).toString('base64')

function createHome(test: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'towline-logins-'))
  test.after(() => rmSync(home, { recursive: true }))
  const write = (file: string, content: unknown, mode = 0o600): string => {
    const path = join(home, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode })
    return path
  }
  /** A helper that writes down what it was asked. */
  const writeHelper = (name: string, script: string): void => {
    write(
      `bin/docker-credential-${name}`,
      `#!/bin/sh\nread server\necho "$1 $server" >> ${home}/asked\n${script}\n`,
      0o755,
    )
  }
  const env = { PATH: `${home}/bin:/usr/bin:/bin`, XDG_RUNTIME_DIR: `${home}/run` }
  const find = async (host: string, repository = 'team/model', more = {}) =>
    await findCredentials(host, repository, { env: { ...env, ...more }, homeFolder: home })
  return { home, env, write, writeHelper, find }
}

const password = (username: string, secret: string) => ({ kind: 'Password', username, password: secret })

test('the most precise key counts, and keys may carry a scheme', async (t) => {
  const { write, find } = createHome(t)
  write('.docker/config.json', {
    auths: {
      'example.com': { auth: encoded('host:1') },
      'example.com/team': { auth: encoded('team:a:b') },
      'https://old.example.com/v1/': { username: 'old', password: '2' },
      'https://index.docker.io/v1/': { auth: encoded('hub:3') },
      'azure.example.com': { auth: encoded('0000:'), identitytoken: 'id' },
      'marked.example.com': { auth: encoded('<token>:id2') },
      'raw.example.com': { registrytoken: 'raw' },
      'empty.example.com': {},
    },
  })
  assert.deepEqual(await find('example.com'), password('team', 'a:b'))
  assert.deepEqual(await find('example.com', 'teams/model'), password('host', '1'))
  assert.deepEqual(await find('old.example.com'), password('old', '2'))
  assert.deepEqual(await find('docker.io'), password('hub', '3'))
  assert.deepEqual(await find('azure.example.com'), { kind: 'IdentityToken', token: 'id' })
  assert.deepEqual(await find('marked.example.com'), { kind: 'IdentityToken', token: 'id2' })
  assert.deepEqual(await find('raw.example.com'), { kind: 'RegistryToken', token: 'raw' })
  assert.equal(await find('empty.example.com'), undefined)
  assert.equal(await find('other.example.com'), undefined)
})

test('files are looked at in order, and the first with a login for the host counts', async (t) => {
  const { home, env, write, find } = createHome(t)
  assert.equal(await find('a.example.com'), undefined)
  const auths = (who: string, ...hosts: string[]) => ({
    auths: Object.fromEntries(hosts.map((host) => [host, { auth: encoded(`${who}:x`) }])),
  })
  write(
    '.config/containers/auth.json',
    auths('config', 'a.example.com', 'b.example.com', 'c.example.com', 'd.example.com'),
  )
  write('run/containers/auth.json', auths('runtime', 'a.example.com', 'b.example.com', 'c.example.com'))
  const named = write('named.json', auths('named', 'a.example.com', 'b.example.com'))
  write('.docker/config.json', auths('docker', 'a.example.com'))
  const who = async (host: string, more = {}) => {
    const found = await find(host, 'x', { REGISTRY_AUTH_FILE: named, ...more })
    return found?.kind === 'Password' ? found.username : undefined
  }
  assert.deepEqual(
    [await who('a.example.com'), await who('b.example.com'), await who('c.example.com'), await who('d.example.com')],
    ['docker', 'named', 'runtime', 'config'],
  )
  assert.equal(await who('a.example.com', { DOCKER_CONFIG: join(home, 'none') }), 'named')
  assert.equal(listConfigFiles({ env: { ...env, DOCKER_CONFIG: '/d' }, homeFolder: home })[0], '/d/config.json')
})

test('a helper for the host goes before the helper for all, and that before the file', async (t) => {
  const { home, write, writeHelper, find } = createHome(t)
  const answer = (name: string) => `echo '{"Username":"${name}","Secret":"s"}'`
  writeHelper('one', answer('one'))
  writeHelper(
    'all',
    `case $server in none*) echo "credentials not found in native keychain"; exit 1;; *) ${answer('all')};; esac`,
  )
  write('.docker/config.json', {
    credHelpers: { 'one.example.com': 'one' },
    credsStore: 'all',
    auths: { 'one.example.com': { auth: encoded('file:x') }, 'none.example.com': { auth: encoded('file:x') } },
  })
  assert.deepEqual(await find('one.example.com'), password('one', 's'))
  assert.deepEqual(await find('docker.io'), password('all', 's'))
  assert.deepEqual(await find('none.example.com'), password('file', 'x'))
  const { readFileSync } = await import('node:fs')
  assert.equal(
    readFileSync(join(home, 'asked'), 'utf8'),
    'get one.example.com\nget https://index.docker.io/v1/\nget none.example.com\n',
  )
})

test('a helper that is missing, fails, hangs or talks nonsense is named, and its secret is not', async (t) => {
  const { env, writeHelper } = createHome(t)
  writeHelper('fails', 'echo s3cret; echo s3cret >&2; exit 3')
  writeHelper('hangs', 'exec sleep 60')
  writeHelper('endless', 'exec yes s3cret')
  writeHelper('talks', 'echo "s3cret"')
  writeHelper('empty', `echo '{"Username":"","Secret":""}'`)
  const ask = async (name: string) =>
    await askHelper(name, 'h.example.com', { env, file: 'config.json', timeoutMs: 300 })
  for (const [name, code, message] of [
    ['missing', 'TL_FILE_MISSING', /docker-credential-missing, which config\.json names, is not on the PATH/],
    ['../fails', 'TL_FILE_UNREADABLE', /names the credential helper "\.\.\/fails"/],
    ['fails', 'TL_FILE_UNREADABLE', /ended with code 3/],
    ['hangs', 'TL_FILE_UNREADABLE', /no answer within 300 ms/],
    ['endless', 'TL_FILE_UNREADABLE', /printed more than \d+ bytes/],
    ['talks', 'TL_FILE_UNREADABLE', /answered something other than/],
  ] as const)
    await assert.rejects(ask(name), (error: Error & { code?: string }) => {
      assert.equal(error.code, code)
      assert.match(error.message, message)
      assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`, /s3cret/)
      return true
    })
  assert.equal(await ask('empty'), undefined)
})

test('a broken file is named with the place of the mistake, and without what stands in it', async (t) => {
  const { write, find } = createHome(t)
  for (const [content, message] of [
    ['{\n  "auths": { "a": { "auth": "s3cret" ]\n}', /config\.json:2:\d+: it is no valid JSON/],
    ['s3cret', /config\.json.*: it is no valid JSON/],
    ['[]', /it is no object/],
    ['{"auths": "s3cret"}', /auths is no object/],
    ['{"auths": {"a.example.com": "s3cret"}}', /an entry of auths is no object/],
    ['{"auths": {"a.example.com": {"auth": "s3cret"}}}', /auth of an entry of auths is not "user:password"/],
    ['{"auths": {"a.example.com": {"auth": 3}}}', /auth of an entry of auths is no text/],
    ['{"credHelpers": {"a": {}}}', /no name of a helper for "a"/],
    ['{"credsStore": {}}', /credsStore is no text/],
  ] as const) {
    write('.docker/config.json', content)
    await assert.rejects(find('a.example.com'), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'TL_FILE_UNREADABLE')
      assert.match(error.message, message)
      assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`, /s3cret/)
      return true
    })
  }
})
