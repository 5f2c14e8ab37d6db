import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keepSampleArtifact, keepSampleImage, keepSampleIndex } from '../../../test/kit/image-sample.ts'
import { mediaTypes } from '../oci/descriptor.ts'
import { retryMended } from '../mended-cache.ts'
import { type OciLayout, openLayout, readLayout } from './oci-layout.ts'

function temporaryFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'towline-layout-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'layout')
}

const names = (layout: Pick<OciLayout, 'references'>): (string | undefined)[] =>
  layout.references().map(({ name }) => name)
const countBlobs = (layout: OciLayout): number => readdirSync(join(layout.folder, 'blobs', 'sha256')).length
const dayMs = 86_400_000
const soon = (): number => Date.now() + 11 * 60_000

test('a name leads to an image, is moved to another, and leaves other names and their fields alone', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const first = await keepSampleImage(layout.blobs, [[['a', '1']]])
  const second = await keepSampleImage(layout.blobs, [[['a', '2']]])
  await layout.setReference('app:1', first.descriptor)
  const file = join(layout.folder, 'index.json')
  const index = JSON.parse(readFileSync(file, 'utf8')) as { manifests: Record<string, unknown>[] }
  // As another tool may have it.
  const foreign = { ...index.manifests[0], data: 'e30=', annotations: { 'org.opencontainers.image.ref.name': 'other' } }
  writeFileSync(file, JSON.stringify({ ...index, extra: 1, manifests: [...index.manifests, foreign] }))
  await layout.setReference('app:1', second.descriptor)
  assert.deepEqual(names(layout), ['app:1', 'other'])
  assert.equal(layout.resolve('app:1').digest, second.descriptor.digest)
  assert.equal(readLayout(layout.folder).resolve('other').digest, first.descriptor.digest)
  const after = JSON.parse(readFileSync(file, 'utf8')) as { extra: number; manifests: unknown[] }
  assert.deepEqual([after.extra, after.manifests[1]], [1, foreign])
})

test('without a name the only image is meant, even beside what has none; of several all are listed', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  assert.throws(() => layout.resolve(), { code: 'TL_IMAGE_MISSING', message: /holds no image$/ })
  const { descriptor } = await keepSampleImage(layout.blobs, [])
  await layout.setReference('app:1', descriptor)
  await layout.setReference(undefined, await keepSampleArtifact(layout.blobs, descriptor, '{}'))
  assert.equal(layout.resolve().digest, descriptor.digest)
  const other = await keepSampleImage(layout.blobs, [[['a', '1']]])
  await layout.setReference('app:2', other.descriptor)
  assert.throws(() => layout.resolve(), { code: 'TL_IMAGE_MISSING', message: /layout holds app:1, app:2$/ })
  assert.throws(() => layout.resolve('app:3'), /layout holds app:1, app:2; none is called app:3$/)
})

test('an artifact without a name is listed once', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const { descriptor } = await keepSampleImage(layout.blobs, [])
  const sbom = await keepSampleArtifact(layout.blobs, descriptor, '{}')
  await layout.setReference(undefined, sbom)
  await layout.setReference(undefined, sbom)
  assert.deepEqual(layout.references(), [{ name: undefined, descriptor: sbom }])
})

test('a name cannot lead to an image whose blobs are not there', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const { descriptor, layers } = await keepSampleImage(layout.blobs, [[['a', '1']]])
  const [layer] = layers
  rmSync(layout.blobs.pathOf(layer?.digest ?? assert.fail()))
  await assert.rejects(layout.setReference('app', descriptor), {
    code: 'TL_IMAGE_UNREADABLE',
    message: new RegExp(`does not hold ${layer?.digest}, which ${descriptor.digest} needs`),
  })
  assert.deepEqual(names(layout), [])
})

test('of an index some platforms may be missing, but not all', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const amd64 = await keepSampleImage(layout.blobs, [])
  const arm64 = await keepSampleImage(layout.blobs, [], { platform: { os: 'linux', architecture: 'arm64' } })
  const index = await keepSampleIndex(layout.blobs, [amd64.descriptor, arm64.descriptor])
  rmSync(layout.blobs.pathOf(arm64.descriptor.digest))
  await layout.setReference('app', index)
  rmSync(layout.blobs.pathOf(amd64.descriptor.digest))
  await assert.rejects(layout.setReference('other', index), { code: 'TL_IMAGE_UNREADABLE' })
})

test('four processes that set names at once lose none', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const { descriptor } = await keepSampleImage(layout.blobs, [])
  const script = `
    const { openLayout } = await import(process.argv[1])
    const layout = openLayout(process.argv[2])
    for (let i = 0; i < 8; i++) await layout.setReference(process.argv[3] + i, JSON.parse(process.argv[4]))`
  const module = join(import.meta.dirname, 'oci-layout.ts')
  const children = ['a', 'b', 'c', 'd'].map((prefix) =>
    spawn(
      process.execPath,
      ['--input-type=module', '-e', script, module, layout.folder, prefix, JSON.stringify(descriptor)],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    ),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0] as number))
  assert.deepEqual(codes, [0, 0, 0, 0])
  const expected = ['a', 'b', 'c', 'd'].flatMap((prefix) => Array.from({ length: 8 }, (_, i) => `${prefix}${i}`))
  assert.deepEqual(names(layout).map(String).toSorted(), expected)
  assert.equal(
    readdirSync(layout.folder).some((name) => name.startsWith('.turn')),
    false,
  )
})

test('garbage is what no reference leads to and nobody touched for ten minutes', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const { blobs } = layout
  const kept = await keepSampleImage(blobs, [[['a', '1']], [['b', '2']]])
  const index = await keepSampleIndex(blobs, [kept.descriptor])
  await layout.setReference('app', index)
  const sbom = await keepSampleArtifact(blobs, kept.descriptor, '{"of":"app"}')
  await layout.setReference(undefined, sbom)
  const before = countBlobs(layout)
  const loose = await keepSampleImage(blobs, [[['a', '1']], [['c', '3']]])
  assert.equal(countBlobs(layout), before + 3) // the lower layer is shared
  assert.deepEqual(await layout.collectGarbage(Date.now() + 9 * 60_000), { blobs: 0, bytes: 0 })
  const { blobs: removed, bytes } = await layout.collectGarbage(soon())
  assert.equal(removed, 3)
  assert.ok(bytes > (loose.layers[1]?.size ?? 0))
  assert.equal(countBlobs(layout), before)
  for (const { digest } of [...kept.layers, sbom, index]) assert.equal(await blobs.has(digest), true)
})

test('what nobody used for thirty days is forgotten, and what leads to nothing; using an image counts', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const [idle, used, gone] = await Promise.all(
    ['idle', 'used', 'gone'].map(async (text) => await keepSampleImage(layout.blobs, [[['a', text]]])),
  )
  assert.ok(idle !== undefined && used !== undefined && gone !== undefined)
  for (const [name, { descriptor }] of Object.entries({ idle, used, gone })) await layout.setReference(name, descriptor)
  rmSync(layout.blobs.pathOf(gone.descriptor.digest))
  await layout.forgetIdle(Date.now() + 29 * dayMs)
  assert.deepEqual(names(layout), ['idle', 'used'])
  const before = Math.max(
    ...[idle, used].map(({ descriptor }) => statSync(layout.blobs.pathOf(descriptor.digest)).ctimeMs),
  )
  let after = before
  // The clock of files goes on every few milliseconds only.
  while (after === before) {
    assert.equal(await layout.holds(used.descriptor), true)
    after = statSync(layout.blobs.pathOf(used.descriptor.digest)).ctimeMs
  }
  const nowMs = (before + after) / 2 + 30 * dayMs
  await layout.forgetIdle(nowMs)
  assert.deepEqual(names(layout), ['used'])
  await layout.collectGarbage(nowMs)
  assert.equal(countBlobs(layout), 3)
})

test('an image is held while all of it is there', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const { descriptor, layers } = await keepSampleImage(layout.blobs, [[['a', '1']]])
  assert.equal(await layout.holds(descriptor), true)
  rmSync(layout.blobs.pathOf(layers[0]?.digest ?? assert.fail()))
  assert.equal(await layout.holds(descriptor), false)
  rmSync(layout.blobs.pathOf(descriptor.digest))
  assert.equal(await layout.holds(descriptor), false)
})

test('a damaged document of one image does not stop the collection of garbage for ever', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const damaged = await keepSampleImage(layout.blobs, [[['a', '1']]])
  const whole = await keepSampleImage(layout.blobs, [[['b', '2']]])
  for (const [name, { descriptor }] of Object.entries({ damaged, whole })) await layout.setReference(name, descriptor)
  const path = layout.blobs.pathOf(damaged.descriptor.digest)
  writeFileSync(path, 'x'.repeat(damaged.descriptor.size))
  await retryMended(layout.blobs, () => layout.collectGarbage(soon()))
  assert.equal(countBlobs(layout), 3)
  assert.equal(await layout.holds(whole.descriptor), true)
  assert.equal(await layout.holds(damaged.descriptor), false)
})

test('an SBOM goes with the image that it is about, and so does a signature of the SBOM', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const old = await keepSampleImage(layout.blobs, [[['a', '1']]])
  await layout.setReference('app', old.descriptor)
  const sbom = await keepSampleArtifact(layout.blobs, old.descriptor, '{"of":"old"}')
  const signature = await keepSampleArtifact(layout.blobs, sbom, '{"of":"sbom"}')
  for (const artifact of [signature, sbom]) await layout.setReference(undefined, artifact)
  await layout.collectGarbage(soon())
  assert.equal(layout.references().length, 3)
  const fresh = await keepSampleImage(layout.blobs, [[['a', '2']]])
  await layout.setReference('app', fresh.descriptor)
  await layout.collectGarbage(Date.now())
  assert.equal(layout.references().length, 3, 'all were touched a moment ago')
  await layout.collectGarbage(soon())
  assert.deepEqual(names(layout), ['app'])
  assert.equal(countBlobs(layout), 3)
})

test('nothing is removed when a document that may name blobs cannot be read', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const { descriptor } = await keepSampleImage(layout.blobs, [[['a', '1']]])
  await layout.setReference('app', descriptor)
  writeFileSync(layout.blobs.pathOf(descriptor.digest), 'x'.repeat(descriptor.size))
  await assert.rejects(layout.collectGarbage(soon()), { code: 'TL_BLOB_MISMATCH' })
  assert.equal(countBlobs(layout), 3)
})

test('documents that are none are refused with the file and what is wrong in it', async (t) => {
  const layout = openLayout(temporaryFolder(t))
  const index = join(layout.folder, 'index.json')
  const entry = { mediaType: mediaTypes.manifest, digest: `sha256:${'0'.repeat(64)}`, size: 1 }
  for (const [text, message] of [
    ['{', /index\.json is no JSON/],
    ['[]', /index\.json: its content: /],
    ['{"schemaVersion":1}', /index\.json: schemaVersion: /],
    [
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, digest: 'sha512:00' }] }),
      /manifests\.0\.digest: is no sha256/,
    ],
    [JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, size: -1 }] }), /manifests\.0\.size: /],
  ] as const) {
    writeFileSync(index, text)
    assert.throws(() => readLayout(layout.folder), { code: 'TL_IMAGE_UNREADABLE', message })
  }
  // As `umoci init` writes it.
  writeFileSync(index, '{"schemaVersion":2,"manifests":null}')
  assert.deepEqual(readLayout(layout.folder).references(), [])
  writeFileSync(join(layout.folder, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
  assert.throws(() => openLayout(layout.folder), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /oci-layout: imageLayoutVersion/,
  })
})

test('a folder with something else in it is not made a layout, and none is read where none is', (t) => {
  const folder = temporaryFolder(t)
  assert.throws(() => readLayout(folder), { code: 'TL_IMAGE_MISSING', message: /is no OCI layout/ })
  mkdirSync(folder)
  writeFileSync(join(folder, 'thesis.txt'), '')
  assert.throws(() => openLayout(folder), { code: 'TL_FILE_EXISTS', message: /holds thesis\.txt and is no OCI layout/ })
  assert.deepEqual(readdirSync(folder), ['thesis.txt'])
})
