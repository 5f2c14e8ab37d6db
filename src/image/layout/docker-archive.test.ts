import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { packTar, unpackTar } from 'modern-tar'
import { keepSampleImage, packSampleLayer } from '../../../test/kit/image-sample.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, digestOf, mediaTypes } from '../oci/descriptor.ts'
import { openBlobFolder } from './blob-folder.ts'
import { packDockerArchive, writeDockerArchive } from './docker-archive.ts'
import { readManifest } from '../oci/document.ts'
import { openDockerArchive } from './saved-image.ts'

function temporaryFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'towline-archive-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

const readBack = (blobs: BlobReader, descriptor: Descriptor): Promise<Buffer> => collect(blobs.open(descriptor))

interface ArchiveFile {
  readonly name: string
  readonly body?: string | Uint8Array
  readonly link?: string
}

async function writeArchive(file: string, files: readonly ArchiveFile[]): Promise<void> {
  const entries = files.map(({ name, body = '', link }) =>
    link === undefined
      ? { header: { name, size: Buffer.byteLength(body), mtime: new Date(0) }, body }
      : { header: { name, size: 0, type: 'symlink' as const, linkname: link, mtime: new Date(0) } },
  )
  writeFileSync(file, await packTar(entries))
}

test('an archive holds config and layers to the byte, a layer that is there twice once, and is the same each time', async (t) => {
  const dir = temporaryFolder(t)
  const blobs = openBlobFolder(join(dir, 'blobs'))
  const same = [['etc/empty', '']] as const
  const { descriptor, layers } = await keepSampleImage(blobs, [same, [['a', '1']], same], {
    compression: ['none', 'gzip'],
  })
  const image = { manifest: await readManifest(descriptor, blobs), blobs, names: ['app:1', 'app:latest'] }
  const file = join(dir, 'image.tar')
  await writeDockerArchive(file, image)
  assert.deepEqual(readFileSync(file), await collect(packDockerArchive(image)))
  assert.deepEqual(readdirSync(dir).toSorted(), ['blobs', 'image.tar'])
  const entries = await unpackTar(readFileSync(file))
  const hex = (digest: string): string => digest.slice(7)
  const config = image.manifest.config.digest
  const paths = layers.map(({ digest }) => `${hex(digest)}.tar`)
  assert.deepEqual(
    entries.map(({ header }) => [header.name, header.mtime?.getTime(), header.uid, header.gid, header.mode]),
    [`${hex(config)}.json`, paths[0], paths[1], 'manifest.json'].map((name) => [name, 0, 0, 0, 0o644]),
  )
  for (const { header, data } of entries.slice(0, -1))
    assert.equal(
      createHash('sha256')
        .update(data ?? '')
        .digest('hex'),
      header.name.replace(/\..*/, ''),
    )
  assert.deepEqual(JSON.parse(Buffer.from(entries.at(-1)?.data ?? []).toString()), [
    { Config: `${hex(config)}.json`, RepoTags: ['app:1', 'app:latest'], Layers: paths },
  ])
})

test('an archive of a damaged blob is not written', async (t) => {
  const dir = temporaryFolder(t)
  const blobs = openBlobFolder(join(dir, 'blobs'))
  const { descriptor, layers } = await keepSampleImage(blobs, [[['a', '1']]])
  const [layer] = layers
  writeFileSync(blobs.pathOf(layer?.digest ?? assert.fail()), Buffer.alloc(layer?.size ?? 0))
  const image = { manifest: await readManifest(descriptor, blobs), blobs, names: ['app'] }
  await assert.rejects(writeDockerArchive(join(dir, 'image.tar'), image), { code: 'TL_BLOB_MISMATCH' })
  assert.deepEqual(readdirSync(dir), ['blobs'])
  await assert.rejects(writeDockerArchive(join(dir, 'none', 'image.tar'), image), {
    code: 'TL_FILE_UNWRITABLE',
    message: /none\/image\.tar \(ENOENT\)/,
  })
})

test('the older form of docker save is read where it lies: plain and gzip layers, one of them by a link', async (t) => {
  const dir = temporaryFolder(t)
  const file = join(dir, 'saved.tar')
  const lower = await packSampleLayer([['a', '1']])
  const upper = await packSampleLayer([['b', '2'.repeat(5000)]])
  const diff_ids = [digestOf(lower), digestOf(upper), digestOf(lower)]
  const config = JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids },
    history: null,
  })
  await writeArchive(file, [
    { name: 'one/layer.tar', body: lower },
    { name: 'two/layer.tar', body: gzipSync(upper) },
    { name: 'three/layer.tar', link: '../one/layer.tar' },
    { name: 'c.json', body: config },
    {
      name: 'manifest.json',
      body: JSON.stringify([
        {
          Config: 'c.json',
          RepoTags: ['app:1', 'app:latest'],
          Layers: ['one/layer.tar', 'two/layer.tar', 'three/layer.tar'],
        },
      ]),
    },
  ])
  const { blobs, references, resolve } = await openDockerArchive(file)
  assert.deepEqual(
    references().map(({ name }) => name),
    ['app:1', 'app:latest'],
  )
  const root = resolve()
  assert.equal(root.digest, resolve('app:1').digest)
  const manifest = await readManifest(root, blobs)
  assert.deepEqual(
    manifest.layers.map(({ mediaType, digest }) => [mediaType, digest]),
    [
      [mediaTypes.layer, digestOf(lower)],
      [mediaTypes.layerGzip, digestOf(gzipSync(upper))],
      [mediaTypes.layer, digestOf(lower)],
    ],
  )
  assert.equal((await readBack(blobs, manifest.config)).toString(), config)
  assert.deepEqual(await readBack(blobs, manifest.layers[0] ?? assert.fail()), Buffer.from(lower))
  assert.deepEqual(
    await collect(blobs.open(manifest.layers[2] ?? assert.fail(), 600)),
    Buffer.from(lower.subarray(600)),
  )
  assert.equal(await blobs.has(manifest.config.digest), true)
  assert.equal(await blobs.has(`sha256:${'0'.repeat(64)}`), false)
})

test('a plain layer that is not the one of the config is found at once', async (t) => {
  const file = join(temporaryFolder(t), 'saved.tar')
  const diff_ids = [digestOf(Buffer.from('other'))]
  await writeArchive(file, [
    { name: 'layer.tar', body: await packSampleLayer([]) },
    {
      name: 'c.json',
      body: JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids } }),
    },
    { name: 'manifest.json', body: '[{"Config":"c.json","RepoTags":null,"Layers":["layer.tar"]}]' },
  ])
  await assert.rejects(openDockerArchive(file), {
    code: 'TL_BLOB_MISMATCH',
    message: new RegExp(`saved\\.tar: layer\\.tar is not the layer ${diff_ids[0]}`),
  })
})

test('the newer form of docker save, an OCI layout in a tar archive, keeps its digests and whole names', async (t) => {
  const dir = temporaryFolder(t)
  const store = openBlobFolder(join(dir, 'blobs'))
  const { descriptor, layers } = await keepSampleImage(store, [[['a', '1']]])
  const annotations = {
    'io.containerd.image.name': 'docker.io/library/app:1',
    'org.opencontainers.image.ref.name': '1',
  }
  const file = join(dir, 'saved.tar')
  await writeArchive(file, [
    ...readdirSync(join(dir, 'blobs', 'sha256')).map((hex) => ({
      name: `blobs/sha256/${hex}`,
      body: readFileSync(join(dir, 'blobs', 'sha256', hex)),
    })),
    { name: 'index.json', body: JSON.stringify({ schemaVersion: 2, manifests: [{ ...descriptor, annotations }] }) },
    { name: 'manifest.json', body: '[]' },
    { name: 'oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
  ])
  const { blobs, resolve } = await openDockerArchive(file)
  assert.equal(resolve('docker.io/library/app:1').digest, descriptor.digest)
  const [layer] = layers
  assert.equal(digestOf(await readBack(blobs, layer ?? assert.fail())), layer?.digest)
})

test('what is no archive of docker save is refused with the reason', async (t) => {
  const dir = temporaryFolder(t)
  const file = join(dir, 'x.tar')
  await assert.rejects(openDockerArchive(file), { code: 'TL_FILE_MISSING' })
  await assert.rejects(openDockerArchive(dir), { code: 'TL_FILE_UNREADABLE', message: /is no regular file/ })
  await writeArchive(file, [{ name: 'a', body: 'a' }])
  await assert.rejects(openDockerArchive(file), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /neither index\.json nor manifest/,
  })
  writeFileSync(file, gzipSync(readFileSync(file)))
  await assert.rejects(openDockerArchive(file), { code: 'TL_IMAGE_UNREADABLE', message: /compressed/, hint: /gunzip/ })
  await writeArchive(file, [
    { name: 'manifest.json', body: '[{"Config":"c.json","Layers":["gone.tar"]}]' },
    {
      name: 'c.json',
      body: `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["${digestOf(Buffer.from(''))}"]}}`,
    },
  ])
  await assert.rejects(openDockerArchive(file), { code: 'TL_IMAGE_UNREADABLE', message: /does not hold gone\.tar/ })
})

test('what lies there already stays, unless it is an older archive; a link is followed', async (t) => {
  const dir = temporaryFolder(t)
  const blobs = openBlobFolder(join(dir, 'blobs'))
  const { descriptor } = await keepSampleImage(blobs, [[['a', '1']]])
  const image = { manifest: await readManifest(descriptor, blobs), blobs, names: [] }
  const at = (name: string): string => join(dir, name)
  writeFileSync(at('notes.txt'), 'mine')
  execFileSync('mkfifo', [at('pipe')])
  symlinkSync('nowhere', at('dangling'))
  for (const [name, why] of [
    ['notes.txt', /is no archive/],
    ['pipe', /is no regular file/],
    ['dangling', /is a link to nothing/],
  ] as const)
    await assert.rejects(writeDockerArchive(at(name), image), { code: 'TL_FILE_EXISTS', message: why })
  assert.equal(readFileSync(at('notes.txt'), 'utf8'), 'mine')
  assert.ok(lstatSync(at('pipe')).isFIFO())
  symlinkSync('image.tar', at('link'))
  await writeDockerArchive(at('image.tar'), image)
  await writeDockerArchive(at('link'), image)
  assert.ok(lstatSync(at('link')).isSymbolicLink())
})
