import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { describeImage } from '../../src/image/inspect.ts'
import { mediaTypes } from '../../src/image/oci/descriptor.ts'
import { registryBlobs } from '../../src/image/registry/blob-download.ts'
import { pullImage } from '../../src/image/registry/pull.ts'
import { pushImage } from '../../src/image/registry/push.ts'
import { parseReference } from '../../src/image/registry/reference.ts'
import { attachReferrer, listReferrers } from '../../src/image/registry/referrers.ts'
import { account, startDebianRegistry } from '../kit/containers/debian-registry.ts'
import { requirePeer } from '../kit/peer.ts'
import {
  addSampleIndex,
  addSampleReferrer,
  createHastyClock,
  createMemoryBlobs,
  openTestRegistry,
  randomBytes,
} from '../kit/registry-rig.ts'

const run = promisify(execFile)
const password = async () => ({ kind: 'Password', username: account.user, password: account.password }) as const

/** Skopeo's own copy of an image, as a folder. */
async function copyOut(t: TestContext, skopeo: string, reference: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'towline-copied-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const from = ['--src-tls-verify=false', `docker://${reference}`]
  await run(skopeo, ['--insecure-policy', 'copy', '--quiet', '--all', '--preserve-digests', ...from, `oci:${folder}:1`])
  return folder
}

for (const login of [false, true]) {
  test(`what is pushed to the registry of Debian${login ? ' with a login' : ''} is there for others`, async (t) => {
    const skopeo = requirePeer(t, 'skopeo')
    const peer = skopeo === undefined ? undefined : await startDebianRegistry(t, { login })
    if (skopeo === undefined || peer === undefined) return
    const registry = openTestRegistry(peer.host, login ? { credentials: password } : {})
    t.after(async () => await registry.close())
    const blobs = createMemoryBlobs()
    const root = addSampleIndex(blobs, { layerBytes: [30_000, 500_000] })
    const target = parseReference(`${peer.host}/team/model:1`)
    const first = await pushImage(registry, { root, blobs, target })
    assert.deepEqual(new Set(first.blobs.map(({ how }) => how)), new Set(['Uploaded']))
    const described = await describeImage(root, registryBlobs(registry, 'team/model'))
    assert.deepEqual(described, await describeImage(root, blobs))
    const again = await pushImage(registry, { root, blobs, target })
    assert.deepEqual(new Set(again.blobs.map(({ how }) => how)), new Set(['Present']))
    const mounted = await pushImage(registry, {
      root,
      blobs,
      target: { ...target, repository: 'team/other' },
      mountFrom: ['team/none', 'team/model'],
    })
    assert.equal(mounted.blobs.filter(({ how }) => how === 'Mounted').length, 5)

    const creds = login ? [`--creds=${account.user}:${account.password}`] : []
    const image = `docker://${peer.host}/team/model:1`
    const { stdout } = await run(skopeo, ['inspect', '--raw', '--tls-verify=false', ...creds, image])
    assert.equal(stdout, Buffer.from(blobs.content.get(root.digest) ?? []).toString())
    if (login) return
    const copied = readdirSync(join(await copyOut(t, skopeo, `${peer.host}/team/other:1`), 'blobs/sha256'))
    const ours = [...blobs.content.keys()].map((digest) => digest.slice(7))
    assert.deepEqual(new Set(copied), new Set(ours))
  })
}

test('what skopeo pushed is pulled, also in the types of Docker', async (t) => {
  const skopeo = requirePeer(t, 'skopeo')
  const peer = skopeo === undefined ? undefined : await startDebianRegistry(t)
  if (skopeo === undefined || peer === undefined) return
  const registry = openTestRegistry(peer.host)
  t.after(async () => await registry.close())
  const base = parseReference(await peer.fill('cc'))
  const layout = await copyOut(t, skopeo, `${base.registry}/${base.repository}:${base.tag}`)
  const copy = mkdtempSync(join(tmpdir(), 'towline-copied-'))
  t.after(() => rmSync(copy, { recursive: true }))
  cpSync(layout, copy, { recursive: true })
  const to = `${peer.host}/team/docker:1`
  const how = ['--quiet', '--format', 'v2s2', '--dest-tls-verify=false']
  await run(skopeo, ['--insecure-policy', 'copy', ...how, `oci:${copy}:1`, `docker://${to}`])
  for (const [reference, type] of [
    [base, mediaTypes.manifest],
    [parseReference(to), mediaTypes.dockerManifest],
  ] as const) {
    const store = createMemoryBlobs()
    const { images, root } = await pullImage(registry, reference, store)
    assert.equal(root.mediaType, type)
    assert.equal(images.length, 1)
    assert.ok(store.content.size >= 3)
    // And it can be pushed elsewhere as it is.
    const target = { ...reference, repository: 'team/again' }
    assert.equal((await pushImage(registry, { root, blobs: store, target })).digest, root.digest)
  }
})

test('referrers are listed under a tag where the registry keeps no lists', async (t) => {
  const peer = await startDebianRegistry(t)
  if (peer === undefined) return
  const registry = openTestRegistry(peer.host)
  t.after(async () => await registry.close())
  const blobs = createMemoryBlobs()
  const root = addSampleIndex(blobs)
  const target = parseReference(`${peer.host}/team/model:1`)
  await pushImage(registry, { root, blobs, target })
  assert.deepEqual(await listReferrers(registry, target), [])
  for (const type of ['a/sbom', 'a/sign', 'a/sbom']) {
    const descriptor = addSampleReferrer(blobs, root, type)
    assert.equal((await attachReferrer(registry, target, { descriptor, blobs })).listedBy, 'Tag')
  }
  const found = await listReferrers(registry, target)
  assert.deepEqual(
    found.map(({ artifactType }) => artifactType),
    ['a/sbom', 'a/sign'],
  )
  assert.equal((await listReferrers(registry, { ...target, digest: root.digest }, 'a/sign')).length, 1)
})

test('a connection to the real registry that is cut on the way is made good', async (t) => {
  const peer = await startDebianRegistry(t)
  if (peer === undefined) return
  const cuts: number[] = [3_000_000, 5_000_000, 1_500_000]
  const host = await startCuttingProxy(t, peer.host, cuts)
  const clock = createHastyClock()
  const registry = openTestRegistry(host, { clock })
  t.after(async () => await registry.close())
  const blobs = createMemoryBlobs()
  const layer = blobs.add(mediaTypes.layerGzip, randomBytes(1, 8_000_000))
  const root = addSampleIndex(blobs, { architectures: ['amd64'] })
  const config = blobs.add(mediaTypes.empty, Buffer.from('{}'))
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] }
  const large = blobs.add(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)))
  const target = parseReference(`${host}/team/model:1`)
  await pushImage(registry, { root: large, blobs, target })
  assert.equal(cuts.length, 0)
  assert.ok(clock.waitsMs.length >= 3)
  const store = createMemoryBlobs()
  cuts.push(-2_000_000)
  await pullImage(registry, target, store)
  assert.deepEqual(cuts, [])
  assert.ok(store.content.has(layer.digest))
  assert.ok(!store.content.has(root.digest))
})

/**
 * Passes bytes on, and ends the next connection that carries so many: towards the registry where the number is positive,
 * from it where it is negative. Each number counts once.
 */
async function startCuttingProxy(t: TestContext, to: string, cuts: number[]): Promise<string> {
  const server = createServer((client) => {
    const port = Number(to.split(':')[1])
    const upstream = connect(port, '127.0.0.1')
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const [from, into, sign] of [
      [client, upstream, 1],
      [upstream, client, -1],
    ] as const) {
      let passedBytes = 0
      from.on('data', (chunk: Buffer) => {
        passedBytes += chunk.length
        const [cut] = cuts
        if (cut !== undefined && Math.sign(cut) === sign && passedBytes >= Math.abs(cut)) {
          cuts.shift()
          end()
        } else if (!into.write(chunk)) {
          from.pause()
          into.once('drain', () => from.resume())
        }
      })
      from.on('end', () => into.end())
      from.on('error', end)
      from.on('close', end)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
