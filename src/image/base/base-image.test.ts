import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keepSampleArtifact, keepSampleImage, keepSampleIndex } from '../../../test/kit/image-sample.ts'
import { openBlobFolder } from '../layout/blob-folder.ts'
import { writeDockerArchive } from '../layout/docker-archive.ts'
import { readImageConfig, readManifest } from '../oci/document.ts'
import { type OciLayout, openLayout } from '../layout/oci-layout.ts'
import { type Descriptor, type Platform, mediaTypes } from '../oci/descriptor.ts'
import { encodeDocument } from '../oci/manifest.ts'
import { type BaseImage, type BaseSources, openBase } from './base-image.ts'
import { parseBaseSpec } from './base-spec.ts'

const amd64: Platform = { os: 'linux', architecture: 'amd64' }
const arm64: Platform = { os: 'linux', architecture: 'arm64' }

interface Rig {
  readonly dir: string
  readonly layout: OciLayout
  readonly sources: BaseSources
  open(spec: string, platform?: Platform): Promise<BaseImage>
}

function createRig(t: TestContext, pull?: BaseSources['pull']): Rig {
  const dir = mkdtempSync(join(tmpdir(), 'towline-base-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const sources = {
    folder: dir,
    cache: openBlobFolder(join(dir, 'cache')),
    pull: pull ?? (() => assert.fail('nothing is fetched')),
  }
  return {
    dir,
    layout: openLayout(join(dir, 'layout')),
    sources,
    open: (spec, platform = amd64) => openBase(spec, platform, sources),
  }
}

/** The manifest again, with other layers. */
async function withLayer(layout: OciLayout, image: Descriptor, layer: object): Promise<Descriptor> {
  const manifest = await readManifest(image, layout.blobs)
  const { descriptor, bytes } = encodeDocument(mediaTypes.manifest, {
    ...manifest,
    layers: manifest.layers.map((old) => ({ ...old, ...layer })),
  })
  await layout.blobs.put(descriptor, [bytes])
  return descriptor
}

test('the spec of a base is a kind of place, or the name of an image', () => {
  assert.deepEqual(parseBaseSpec('scratch', '/p'), { kind: 'Scratch' })
  assert.deepEqual(parseBaseSpec('oci:base', '/p'), { kind: 'Layout', folder: '/p/base', name: undefined })
  assert.deepEqual(parseBaseSpec('oci:/a/b:cc:13', '/p'), { kind: 'Layout', folder: '/a/b', name: 'cc:13' })
  assert.deepEqual(parseBaseSpec('docker-archive:../c:d.tar', '/p/q'), { kind: 'Archive', file: '/p/c:d.tar' })
  assert.deepEqual(parseBaseSpec('debian:13', '/p'), { kind: 'Registry', reference: 'debian:13' })
  assert.deepEqual(parseBaseSpec('ocis:1', '/p'), { kind: 'Registry', reference: 'ocis:1' })
  for (const text of ['oci:', 'oci::name', 'oci:dir:', 'docker-archive:'])
    assert.throws(() => parseBaseSpec(text, '/p'), { code: 'TL_USAGE', message: /lacks/ })
})

test('of an index in a layout the image of the platform is taken, past attestations and artifacts', async (t) => {
  const { layout, open } = createRig(t)
  const { blobs } = layout
  const wrong = await keepSampleImage(blobs, [[['a', 'arm']]], { platform: arm64 })
  const right = await keepSampleImage(blobs, [[['a', 'amd']]])
  const attestation = { ...right.descriptor, platform: { os: 'unknown', architecture: 'unknown' } }
  const sbom = await keepSampleArtifact(blobs, right.descriptor, '{}')
  const index = await keepSampleIndex(blobs, [attestation, sbom, wrong.descriptor, right.descriptor])
  await layout.setReference('cc:13', index)
  const base = await open('oci:layout:cc:13')
  assert.equal(base.kind, 'Layout')
  assert.equal(base.digest, right.descriptor.digest)
  assert.deepEqual(base.manifest.layers, right.layers)
  assert.equal(base.config.architecture, 'amd64')
  assert.equal((await open('oci:layout', arm64)).digest, wrong.descriptor.digest)
})

test('the plainest variant is taken where none is asked for, and arm64 is arm64/v8', async (t) => {
  const { layout, open } = createRig(t)
  const variant = async (platform: Platform): Promise<Descriptor> =>
    (await keepSampleImage(layout.blobs, [], { platform })).descriptor
  const v3 = await variant({ ...amd64, variant: 'v3' })
  const plain = await variant(amd64)
  const v8 = await variant({ ...arm64, variant: 'v8' })
  await layout.setReference('x', await keepSampleIndex(layout.blobs, [v3, plain, v8]))
  assert.equal((await open('oci:layout')).digest, plain.digest)
  assert.equal((await open('oci:layout', { ...amd64, variant: 'v3' })).digest, v3.digest)
  assert.equal((await open('oci:layout', arm64)).digest, v8.digest)
})

test('a platform that is not there, not fetched or not Linux is refused with what there is', async (t) => {
  const { layout, open } = createRig(t)
  const one = await keepSampleImage(layout.blobs, [], { platform: arm64 })
  await layout.setReference('single', one.descriptor)
  await assert.rejects(open('oci:layout'), {
    code: 'TL_IMAGE_MISSING',
    message: /oci:layout holds linux\/arm64, not linux\/amd64$/,
  })
  const other = await keepSampleImage(layout.blobs, [])
  await layout.setReference('both', await keepSampleIndex(layout.blobs, [one.descriptor, other.descriptor]))
  rmSync(layout.blobs.pathOf(other.descriptor.digest))
  await assert.rejects(
    open('oci:layout:both'),
    /holds linux\/arm64, not linux\/amd64 \(the index names linux\/amd64, and/,
  )
  await assert.rejects(open('scratch', { os: 'windows', architecture: 'amd64' }), { code: 'TL_BASE_UNFIT' })
})

test('an index cannot pass an image for one of another platform', async (t) => {
  const { layout, open } = createRig(t)
  const { descriptor } = await keepSampleImage(layout.blobs, [], { platform: arm64 })
  await layout.setReference('x', await keepSampleIndex(layout.blobs, [{ ...descriptor, platform: amd64 }]))
  await assert.rejects(open('oci:layout'), {
    code: 'TL_IMAGE_MISSING',
    message: /holds linux\/arm64, not linux\/amd64/,
  })
})

test('layers that lie elsewhere, of unknown kinds, or more than the config knows are refused', async (t) => {
  const { layout, open } = createRig(t)
  const image = (await keepSampleImage(layout.blobs, [[['a', '1']]])).descriptor
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
  for (const [change, code, message] of [
    [{ mediaType: foreign }, 'TL_BASE_UNFIT', /may not be passed on/],
    [{ urls: ['https://example.com/layer'] }, 'TL_BASE_UNFIT', /may not be passed on/],
    [{ mediaType: 'application/x-layer' }, 'TL_BASE_UNFIT', /is application\/x-layer, which is no known kind/],
    [{ mediaType: 'a/\u001b[2J' }, 'TL_BASE_UNFIT', /is a\/ \[2J, which/],
  ] as const) {
    await layout.setReference('x', await withLayer(layout, image, change))
    await assert.rejects(open('oci:layout'), { code, message })
  }
  const manifest = await readManifest(image, layout.blobs)
  const doubled = { ...manifest, layers: [...manifest.layers, ...manifest.layers] }
  const { descriptor, bytes } = encodeDocument(mediaTypes.manifest, doubled)
  await layout.blobs.put(descriptor, [bytes])
  await layout.setReference('x', descriptor)
  await assert.rejects(open('oci:layout'), { code: 'TL_IMAGE_UNREADABLE', message: /has 2 layers, and its config 1/ })
})

test('an archive of docker save is a base, read where it lies', async (t) => {
  const { dir, layout, open } = createRig(t)
  const { descriptor, layers } = await keepSampleImage(layout.blobs, [[['a', '1']]], { compression: ['zstd'] })
  const manifest = await readManifest(descriptor, layout.blobs)
  await writeDockerArchive(join(dir, 'base.tar'), { manifest, blobs: layout.blobs, names: ['base:1'] })
  const base = await open('docker-archive:base.tar')
  assert.equal(base.kind, 'Archive')
  // Layers as they are, whatever the manifest around them.
  assert.deepEqual(base.manifest.layers, layers)
  const [layer] = layers
  const chunks: Uint8Array[] = []
  for await (const chunk of base.blobs.open(layer ?? assert.fail())) chunks.push(chunk)
  assert.deepEqual(Buffer.concat(chunks), readFileSync(layout.blobs.pathOf(layer?.digest ?? assert.fail())))
})

test('an image of a registry is fetched into the cache, for the platform, and checked', async (t) => {
  const asked: unknown[] = []
  const rig = createRig(t, async (reference, platform, store) => {
    asked.push([reference, platform])
    const image = await keepSampleImage(store, [[['a', '1']]])
    return { descriptor: await keepSampleIndex(store, [image.descriptor]) }
  })
  const base = await rig.open('gcr.io/distroless/cc-debian13:nonroot')
  assert.deepEqual(asked, [['gcr.io/distroless/cc-debian13:nonroot', amd64]])
  assert.equal(base.reference, 'gcr.io/distroless/cc-debian13:nonroot')
  assert.equal(await rig.sources.cache.has(base.manifest.layers[0]?.digest ?? assert.fail()), true)
  await assert.rejects(rig.open('x', arm64), { code: 'TL_IMAGE_MISSING' })
})

test('scratch has no layers and no digest, and its documents can be read as those of any other', async (t) => {
  const base = await createRig(t).open('scratch', arm64)
  assert.deepEqual(base.manifest.layers, [])
  assert.equal(base.digest, undefined)
  assert.deepEqual(await readImageConfig(base.manifest.config, base.blobs), base.config)
  assert.deepEqual(base.config, { ...arm64, rootfs: { type: 'layers', diff_ids: [] } })
})

test('a layout whose blobs are damaged is not taken as a base', async (t) => {
  const { layout, open } = createRig(t)
  const { descriptor } = await keepSampleImage(layout.blobs, [])
  await layout.setReference('x', descriptor)
  writeFileSync(layout.blobs.pathOf(descriptor.digest), 'x'.repeat(descriptor.size))
  await assert.rejects(open('oci:layout'), { code: 'TL_BLOB_MISMATCH' })
})
