import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import type { Digest } from '../../src/image/oci/descriptor.ts'
import { requirePeer } from '../kit/peer.ts'
import { createRandom } from '../kit/random.ts'
import type { RegistryOptions } from '../kit/strict-registry/options.ts'
import { type SampleImage, makeSampleImage } from '../kit/strict-registry/sample-image.ts'
import { type StrictRegistry, startStrictRegistry } from '../kit/strict-registry/strict-registry.ts'

const run = promisify(execFile)
/** It sends blobs as one stream without Content-Range, which is Docker's older form and not the specification's. */
const streams = true

/** An OCI layout on disk, as `oci:FOLDER:1` names it. */
function writeLayout(t: TestContext, { root, blobs, manifests }: SampleImage): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-layout-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true })
  const files = [...blobs, ...manifests.map(({ descriptor, bytes }) => [descriptor.digest, bytes] as const)]
  for (const [digest, bytes] of files) writeFileSync(blobFile(folder, digest), bytes)
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const named = { ...root, annotations: { 'org.opencontainers.image.ref.name': '1' } }
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }))
  return folder
}

function blobFile(folder: string, digest: Digest): string {
  return join(folder, 'blobs', digest.replace(':', '/'))
}

async function start(t: TestContext, options: RegistryOptions): Promise<StrictRegistry> {
  const registry = await startStrictRegistry({ streams, ...options })
  t.after(async () => await registry.close())
  return registry
}

const login = { user: 'ann', password: 's3cret' }

for (const [name, options, credentials] of [
  ['an open registry', {}, undefined],
  [
    'a registry with tokens, whole addresses and redirects',
    { auth: { kind: 'Bearer', ...login }, locations: 'Absolute', redirects: true },
    login,
  ],
  ['a registry with a password', { auth: { kind: 'Basic', ...login } }, login],
] as const satisfies readonly (readonly [string, RegistryOptions, unknown])[]) {
  test(`skopeo pushes an index to ${name} and gets it back, and breaks no rule`, async (t) => {
    const skopeo = requirePeer(t, 'skopeo')
    if (skopeo === undefined) return
    const image = makeSampleImage(createRandom(7))
    const folder = writeLayout(t, image)
    const registry = await start(t, options)
    const copy = async (from: string, to: string, side: 'src' | 'dest'): Promise<void> => {
      const creds = credentials === undefined ? [] : [`--${side}-creds`, `${credentials.user}:${credentials.password}`]
      await run(skopeo, ['--insecure-policy', 'copy', '--all', `--${side}-tls-verify=false`, ...creds, from, to], {
        timeout: 60_000,
      })
    }
    await copy(`oci:${folder}:1`, `docker://${registry.host}/team/model:1`, 'dest')
    assert.deepEqual(registry.violations, [])
    assert.equal(registry.manifest('team/model', '1')?.digest, image.root.digest)
    for (const [digest, bytes] of image.blobs) assert.equal(registry.received.get(digest), bytes.length)

    const back = mkdtempSync(join(tmpdir(), 'towline-layout-'))
    t.after(() => rmSync(back, { recursive: true }))
    await copy(`docker://${registry.host}/team/model:1`, `oci:${back}:1`, 'src')
    assert.deepEqual(registry.violations, [])
    for (const [digest, bytes] of image.blobs)
      assert.deepEqual(readFileSync(blobFile(back, digest)), Buffer.from(bytes))
  })
}

test('without the exception for streams, skopeo is told what it does not keep to', async (t) => {
  const skopeo = requirePeer(t, 'skopeo')
  if (skopeo === undefined) return
  const folder = writeLayout(t, makeSampleImage(createRandom(8)))
  const registry = await start(t, { streams: false })
  const target = `docker://${registry.host}/team/model:1`
  const args = ['--insecure-policy', 'copy', '--all', '--dest-tls-verify=false', `oci:${folder}:1`, target]
  await assert.rejects(run(skopeo, args, { timeout: 60_000 }), /Content-Range/)
  assert.deepEqual(new Set(registry.violations.map(({ rule }) => rule)), new Set(['ContentRangeMissing']))
})
