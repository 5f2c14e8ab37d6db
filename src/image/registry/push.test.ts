import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  addSampleIndex,
  createHastyClock,
  createMemoryBlobs,
  openTestRegistry,
} from '../../../test/kit/registry-rig.ts'
import { planFaults } from '../../../test/kit/strict-registry/faults.ts'
import type { RegistryOptions as StrictOptions } from '../../../test/kit/strict-registry/options.ts'
import { startStrictRegistry } from '../../../test/kit/strict-registry/strict-registry.ts'
import { mediaTypes } from '../oci/descriptor.ts'
import { planPush, pushImage } from './push.ts'
import { parseReference } from './reference.ts'
import type { RegistryOptions } from './registry.ts'

async function start(test: TestContext, strict: StrictOptions = {}, own: Partial<RegistryOptions> = {}) {
  const server = await startStrictRegistry(strict)
  const clock = createHastyClock()
  const registry = openTestRegistry(server.host, { clock, ...own })
  test.after(async () => {
    await registry.close()
    await server.close()
    assert.deepEqual(server.violations, [])
  })
  const blobs = createMemoryBlobs()
  return { server, registry, clock, blobs, target: parseReference(`${server.host}/team/model:1`) }
}

test('an index goes up with all it leads to, each blob once, the tag last', async (t) => {
  const { server, registry, blobs, target } = await start(t)
  const root = addSampleIndex(blobs)
  const stored: string[] = []
  const report = await pushImage(registry, { root, blobs, target }, { onStored: ({ digest }) => stored.push(digest) })
  assert.equal(server.manifest('team/model', '1')?.digest, root.digest)
  assert.deepEqual(server.manifest('team/model', '1')?.bytes, Buffer.from(blobs.content.get(root.digest) ?? []))
  assert.equal(report.tag, '1')
  assert.equal(report.digest, root.digest)
  // 3 layers of which one is shared, 2 configs, 2 manifests, the index.
  assert.equal(report.blobs.length, 8)
  assert.ok(report.blobs.every(({ how, size, sentBytes }) => how === 'Uploaded' && sentBytes === size))
  assert.equal(report.blobs.at(-1)?.digest, root.digest)
  assert.deepEqual(
    stored,
    report.blobs.map(({ digest }) => digest),
  )
})

test('a second push sends nothing, and one with another layer only that', async (t) => {
  const { server, registry, blobs, target } = await start(t)
  const root = addSampleIndex(blobs)
  await pushImage(registry, { root, blobs, target })
  const again = await pushImage(registry, { root, blobs, target })
  assert.ok(again.blobs.every(({ how, sentBytes }) => how === 'Present' && sentBytes === 0))
  const layer = [...server.received.keys()].length
  const changed = addSampleIndex(blobs, { layerBytes: [30_000, 50_000, 1000], architectures: ['amd64'] })
  const report = await pushImage(registry, { root: changed, blobs, target })
  assert.deepEqual(
    report.blobs.filter(({ how }) => how === 'Uploaded').map(({ size }) => size < 1500),
    [true, true, true, true],
  )
  assert.equal(server.received.size, layer + 2, 'a layer and a config')
  assert.equal(server.receivedAgain.size, 0)
})

test('a blob of another repository is mounted where that is allowed, and sent where it is not', async (t) => {
  for (const mounts of ['Allowed', 'Accepted', 'Refused'] as const) {
    const { server, registry, blobs, target } = await start(t, { mounts })
    const root = addSampleIndex(blobs, { architectures: ['amd64'] })
    for (const bytes of blobs.content.values()) server.holdBlob('team/base', bytes)
    const mountFrom = ['team/none', 'team/base', 'team/model']
    const report = await pushImage(registry, { root, blobs, target, mountFrom })
    const how = report.blobs.slice(0, 3).map((blob) => blob.how)
    const expected = mounts === 'Allowed' ? 'Mounted' : 'Uploaded'
    assert.deepEqual(how, [expected, expected, expected])
  }
})

test('a login is used for whatever asks for it: a password, a token server, an identity token', async (t) => {
  const login = { user: 'ann', password: 's3cret' }
  const password = { kind: 'Password', username: login.user, password: login.password } as const
  for (const [auth, credentials] of [
    [{ kind: 'Basic', ...login }, password],
    [{ kind: 'Bearer', ...login }, password],
    [{ kind: 'Bearer', ...login, tokenField: 'access_token' }, password],
    [
      { kind: 'Bearer', ...login, identityToken: 'id' },
      { kind: 'IdentityToken', token: 'id' },
    ],
  ] as const) {
    const { registry, blobs, target, server } = await start(t, { auth }, { credentials: async () => credentials })
    server.holdBlob('team/base', Buffer.from('x'))
    const root = addSampleIndex(blobs)
    await pushImage(registry, { root, blobs, target, mountFrom: ['team/base'] })
    assert.equal(server.manifest('team/model', '1')?.digest, root.digest)
  }
})

test('without a login, and without the right to push, one is told how to log in', async (t) => {
  const login = { user: 'ann', password: 's3cret' }
  const credentials = async () => ({ kind: 'Password', username: 'ann', password: 's3cret' }) as const
  for (const [auth, own] of [
    [{ kind: 'Basic', ...login }, {}],
    [{ kind: 'Bearer', ...login }, {}],
    [{ kind: 'Bearer', ...login, anonymousPull: true }, {}],
    [{ kind: 'Bearer', ...login, readOnly: true }, { credentials }],
  ] as const) {
    const { registry, blobs, target, server } = await start(t, { auth }, own)
    const root = addSampleIndex(blobs)
    await assert.rejects(pushImage(registry, { root, blobs, target }), (error: Error & { hint?: string }) => {
      assert.match(error.message, /^The registry refused access: 127\.0\.0\.1:\d+ answered 40[13]/)
      assert.equal(error.hint?.includes(`docker login ${server.host}`), true)
      assert.doesNotMatch(JSON.stringify(error) + error.message, /s3cret/)
      return true
    })
  }
})

test('a registry that is busy or fails for a moment is asked again, as late as it wants', async (t) => {
  const { registry, blobs, target, clock, server } = await start(t, {
    faults: planFaults([
      { on: 'BlobHead', fault: { kind: 'Status', status: 429, retryAfterSeconds: 7 } },
      { on: 'UploadPost', fault: { kind: 'Status', status: 503 } },
      { on: 'ManifestPut', times: 3, fault: { kind: 'CutBeforeAnswer' } },
    ]),
  })
  const root = addSampleIndex(blobs, { architectures: ['amd64'] })
  await pushImage(registry, { root, blobs, target })
  assert.equal(server.manifest('team/model', '1')?.digest, root.digest)
  assert.equal(clock.waitsMs.filter((ms) => ms === 7000).length, 1)
  assert.equal(clock.waitsMs.length, 5)
})

test('a registry that keeps failing is given up, with its own words', async (t) => {
  const { registry, blobs, target, server } = await start(t, {
    faults: planFaults([{ on: 'ManifestPut', times: 99, fault: { kind: 'Status', status: 500 } }]),
  })
  const root = addSampleIndex(blobs, { architectures: ['amd64'] })
  await assert.rejects(pushImage(registry, { root, blobs, target }), {
    code: 'TL_REGISTRY_FAILED',
    message: /answered 500.* to the manifest team\/model sha256:/,
  })
  assert.equal(server.requests.get('ManifestPut'), 4)
  assert.deepEqual(server.tags('team/model'), [])
})

test('a blob that is not what it should be here is not blamed on the registry', async (t) => {
  const { server, registry, blobs, target } = await start(t)
  const root = addSampleIndex(blobs, { architectures: ['amd64'] })
  const [layer] = blobs.content.keys()
  assert.ok(layer !== undefined)
  ;(blobs.content as Map<string, Uint8Array>).set(layer, new Uint8Array(30_000))
  await assert.rejects(pushImage(registry, { root, blobs, target }), {
    code: 'TL_BLOB_MISMATCH',
    message: /has the content of sha256:/,
  })
  ;(blobs.content as Map<string, Uint8Array>).set(layer, new Uint8Array(29_999))
  await assert.rejects(pushImage(registry, { root, blobs, target }), {
    code: 'TL_BLOB_MISMATCH',
    message: /has 29999 bytes here, and 30000 are expected/,
  })
  assert.deepEqual(server.tags('team/model'), [])
  // This is what the strict registry calls a violation: the client only knows from its answer.
  ;(server.violations as unknown[]).length = 0
})

test('a push that is stopped ends at once, and sets no tag', async (t) => {
  const stop = new AbortController()
  const { server, registry, blobs, target } = await start(t, {}, { signal: stop.signal })
  const root = addSampleIndex(blobs)
  const onProgress = (): void => stop.abort(new Error('enough'))
  await assert.rejects(pushImage(registry, { root, blobs, target }, { onProgress }), { message: 'enough' })
  assert.deepEqual(server.tags('team/model'), [])
})

test('a target with a digest gets no tag, and must name what is pushed', async (t) => {
  const { server, registry, blobs } = await start(t)
  const root = addSampleIndex(blobs)
  const target = parseReference(`${server.host}/team/model@${root.digest}`)
  assert.equal((await pushImage(registry, { root, blobs, target })).tag, undefined)
  assert.deepEqual(server.tags('team/model'), [])
  const other = parseReference(`${server.host}/team/model@sha256:${'0'.repeat(64)}`)
  await assert.rejects(pushImage(registry, { root, blobs, target: other }), { code: 'TL_REFERENCE_INVALID' })
  const elsewhere = parseReference('example.com/team/model')
  await assert.rejects(pushImage(registry, { root, blobs, target: elsewhere }), { code: 'TL_REFERENCE_INVALID' })
})

test('a manifest that says two things, or is of an unknown kind, is not pushed', async (t) => {
  const { registry, blobs, target } = await start(t)
  const twofold = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [], layers: [] }
  for (const [mediaType, value, message] of [
    [mediaTypes.index, twofold, /an index and an image at once/],
    [mediaTypes.manifest, { ...twofold }, /says it is .*index.*, and what leads to it says/],
    [mediaTypes.manifest, { schemaVersion: 1 }, /schemaVersion: /],
    [mediaTypes.manifest, { schemaVersion: 2 }, /config: /],
    ['text/\u001b[2Jplain', { schemaVersion: 2 }, /is text\/ \[2Jplain, and no image or index/],
  ] as const) {
    const root = blobs.add(mediaType, Buffer.from(JSON.stringify(value)))
    await assert.rejects(pushImage(registry, { root, blobs, target }), { code: 'TL_IMAGE_UNREADABLE', message })
  }
})

test('a manifest without layers may say null, as writers in Go do, and goes up as it is', async (t) => {
  const { server, registry, blobs, target } = await start(t)
  const config = blobs.add(mediaTypes.empty, Buffer.from('{}'))
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: [],
    annotations: null,
  })
  const root = blobs.add(mediaTypes.manifest, Buffer.from(text))
  await pushImage(registry, { root, blobs, target })
  assert.equal(Buffer.from(server.manifest('team/model', '1')?.bytes ?? []).toString(), text)
  const bare = blobs.add(mediaTypes.manifest, Buffer.from(text.replace('"layers":[]', '"layers":null')))
  const plan = await planPush(bare, blobs)
  assert.deepEqual([plan.layers, plan.configs.map(({ digest }) => digest)], [[], [config.digest]])
})
