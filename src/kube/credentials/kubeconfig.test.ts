import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { systemClock } from '../../base/clock.ts'
import { readAccess } from './kubeconfig.ts'

function openDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'towline-kubeconfig-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

function write(dir: string, name: string, user: object, server = 'https://127.0.0.1:1'): string {
  const file = join(dir, name)
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: `ns-${name}` } }],
  }
  writeFileSync(file, stringify(document))
  return file
}

const read = (kubeconfig: string, context?: string) =>
  readAccess({ kubeconfig, env: {}, ...(context === undefined ? {} : { context }) }, systemClock)

test('of several files the first says which context is current, and all give theirs', async (t) => {
  const dir = openDir(t)
  const both = [write(dir, 'a', { token: 'one' }), write(dir, 'b', { token: 'two' })].join(delimiter)
  assert.deepEqual([(await read(both)).context, (await read(both)).namespace], ['a', 'ns-a'])
  const second = await read(both, 'b')
  assert.equal(second.namespace, 'ns-b')
  assert.equal((await second.authorize()).headers['authorization'], 'Bearer two')
})

test('a token in a file is read again when the server does not take it any more', async (t) => {
  const dir = openDir(t)
  writeFileSync(join(dir, 'token'), 'old\n')
  const { authorize } = await read(write(dir, 'a', { tokenFile: 'token' }))
  writeFileSync(join(dir, 'token'), 'new\n')
  assert.equal((await authorize()).headers['authorization'], 'Bearer old')
  assert.equal((await authorize(await authorize())).headers['authorization'], 'Bearer new')
})

test('a command signs in, and is asked again when its token is not taken', async (t) => {
  const dir = openDir(t)
  const command = join(dir, 'sign-in')
  const credential =
    '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t\'$n\'"}}'
  writeFileSync(
    command,
    `#!/bin/sh\nn=$(cat ${dir}/n 2>/dev/null || echo 0)\nn=$((n + 1))\necho $n >${dir}/n\necho '${credential}'\n`,
  )
  chmodSync(command, 0o755)
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' }
  const { authorize } = await read(write(dir, 'a', { exec }))
  const first = (await authorize()).headers['authorization']
  assert.equal((await authorize()).headers['authorization'], first)
  assert.notEqual((await authorize(await authorize())).headers['authorization'], first)
})

test('what is wrong with the access names the file and what there is, and no secret', async (t) => {
  const dir = openDir(t)
  const file = write(dir, 'a', { token: 's3cret' })
  await assert.rejects(read(join(dir, 'none')), { code: 'TL_KUBECONFIG_UNUSABLE', message: /there is no .*none/ })
  await assert.rejects(read(file, 'b'), (error: Error) => {
    assert.match(error.message, /`b`/)
    assert.doesNotMatch(`${error.message}${String((error as { hint?: string }).hint)}`, /s3cret/)
    return true
  })
  writeFileSync(join(dir, 'broken'), 'a: [')
  await assert.rejects(read(join(dir, 'broken')), { code: 'TL_KUBECONFIG_UNUSABLE' })
  await assert.rejects(
    read(
      write(dir, 'c', {
        exec: { apiVersion: 'client.authentication.k8s.io/v1', command: join(dir, 'nope'), interactiveMode: 'Never' },
      }),
    ),
    {
      code: 'TL_KUBECONFIG_UNUSABLE',
      message: /nope/,
    },
  )
})

test('a namespace that cannot be one is told before anybody is asked', async (t) => {
  const kubeconfig = write(openDir(t), 'a', { token: 'one' })
  for (const namespace of ['Bad Name/..', '../x', '', 'a'.repeat(64)])
    await assert.rejects(readAccess({ kubeconfig, namespace, env: {} }, systemClock), { code: 'TL_REQUEST_INVALID' })
})

test('a token that no request can carry is told with whose it is, and not shown', async (t) => {
  const kubeconfig = write(openDir(t), 'a', { token: 's3cret\nmore' })
  await assert.rejects(readAccess({ kubeconfig, env: {} }, systemClock), (error: Error) => {
    assert.match(error.message, /the user `.*`: its `authorization` has characters that no request can carry/)
    assert.doesNotMatch(error.message, /s3cret/)
    return true
  })
})

test('so is the token of a file, of a user and of a pod', async (t) => {
  const dir = openDir(t)
  writeFileSync(join(dir, 'token'), 's3cret\nmore')
  writeFileSync(join(dir, 'ca.crt'), '')
  const inPod = {
    env: { HOME: dir, KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' },
    accountFolder: dir,
  }
  const refused = { code: 'TL_KUBECONFIG_UNUSABLE', message: /characters that no request can carry/ }
  await assert.rejects(read(write(dir, 'a', { tokenFile: 'token' })), refused)
  await assert.rejects((await readAccess(inPod, systemClock)).authorize(), refused)
})
