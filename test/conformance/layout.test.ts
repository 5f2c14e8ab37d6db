import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openBase } from '../../src/image/base/base-image.ts'
import { readBaseContents } from '../../src/image/base/base-packages.ts'
import { describeImage } from '../../src/image/inspect.ts'
import { writeDockerArchive } from '../../src/image/layout/docker-archive.ts'
import { readImageConfig, readManifest } from '../../src/image/oci/document.ts'
import { openLayout, readLayout } from '../../src/image/layout/oci-layout.ts'
import { openDockerArchive } from '../../src/image/layout/saved-image.ts'
import type { BlobReader } from '../../src/image/oci/blobs.ts'
import { type Descriptor, type Digest, digestOf } from '../../src/image/oci/descriptor.ts'
import { makeBaseImage } from '../kit/containers/debian-base.ts'
import { startDockerDaemon } from '../kit/containers/docker-daemon.ts'
import { runProgram } from '../kit/containers/program.ts'
import { requireRoot } from '../kit/containers/require-root.ts'
import { keepSampleImage } from '../kit/image-sample.ts'
import { requirePeer } from '../kit/peer.ts'

function temporaryFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'towline-layout-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch }

async function keepImage(
  folder: string,
): Promise<{ readonly descriptor: Descriptor; readonly layers: readonly Descriptor[] }> {
  const layout = openLayout(folder)
  const image = await keepSampleImage(
    layout.blobs,
    [
      [
        ['etc/', ''],
        ['etc/one', 'lower'],
        ['etc/two', 'two'],
      ],
      [
        ['etc/one', 'upper'],
        ['etc/.wh.two', ''],
      ],
    ],
    {
      platform,
      compression: ['gzip', 'none'],
      run: { User: '65532', Entrypoint: ['/etc/one'], Labels: { a: 'b' }, StopSignal: 'SIGTERM' },
      history: [{ created_by: 'lower' }, { created_by: 'upper' }],
    },
  )
  await layout.setReference('app:1', image.descriptor)
  return image
}

/** Every blob of the image is read to its end and is what its digest says. */
async function readAll(root: Descriptor, blobs: BlobReader): Promise<readonly Digest[]> {
  const manifest = await readManifest(root, blobs)
  for (const part of [manifest.config, ...manifest.layers]) {
    const chunks: Uint8Array[] = []
    for await (const chunk of blobs.open(part)) chunks.push(chunk)
    assert.equal(digestOf(Buffer.concat(chunks)), part.digest)
  }
  return (await readImageConfig(manifest.config, blobs)).rootfs.diff_ids
}

test('a layout that we wrote is read by skopeo and unpacked by umoci', async (t) => {
  const skopeo = requirePeer(t, 'skopeo')
  const umoci = requirePeer(t, 'umoci')
  if (skopeo === undefined || umoci === undefined || !requireRoot(t)) return
  const dir = temporaryFolder(t)
  const folder = join(dir, 'layout')
  const { descriptor, layers } = await keepImage(folder)
  const seen = JSON.parse((await runProgram(skopeo, ['inspect', `oci:${folder}:app:1`])).out) as Record<string, unknown>
  assert.equal(seen['Digest'], descriptor.digest)
  assert.deepEqual(
    seen['Layers'],
    layers.map(({ digest }) => digest),
  )
  assert.deepEqual(seen['Labels'], { a: 'b' })
  // umoci takes no colon in a name.
  await openLayout(folder).setReference('one', descriptor)
  await runProgram(umoci, ['unpack', '--image', `${folder}:one`, join(dir, 'bundle')])
  assert.equal(readFileSync(join(dir, 'bundle', 'rootfs', 'etc', 'one'), 'utf8'), 'upper')
  assert.throws(() => statSync(join(dir, 'bundle', 'rootfs', 'etc', 'two')), { code: 'ENOENT' })
})

test('layouts of skopeo and umoci are read, and names that they set into ours stay', async (t) => {
  const skopeo = requirePeer(t, 'skopeo')
  const umoci = requirePeer(t, 'umoci')
  if (skopeo === undefined || umoci === undefined || !requireRoot(t)) return
  const dir = temporaryFolder(t)
  const ours = join(dir, 'ours')
  const { descriptor } = await keepImage(ours)
  const copied = join(dir, 'skopeo')
  const keep = ['--quiet', '--preserve-digests'] // it would compress the plain layer
  await runProgram(skopeo, ['copy', ...keep, `oci:${ours}:app:1`, `oci:${copied}:copied`])
  const { blobs, resolve } = readLayout(copied)
  assert.equal(resolve('copied').digest, descriptor.digest)
  await readAll(resolve(), blobs)

  const made = join(dir, 'umoci')
  await runProgram(umoci, ['init', '--layout', made])
  assert.deepEqual(readLayout(made).references(), [])
  await runProgram(umoci, ['new', '--image', `${made}:new`])
  writeFileSync(join(dir, 'file'), 'text')
  await runProgram(umoci, ['insert', '--image', `${made}:new`, join(dir, 'file'), '/file'])
  const umocis = openLayout(made)
  assert.equal((await readAll(umocis.resolve('new'), umocis.blobs)).length, 1)
  // A name of ours beside theirs, and their collector leaves all of it.
  const image = await keepSampleImage(umocis.blobs, [[['a', '1']]], { platform })
  await umocis.setReference('ours', image.descriptor)
  await runProgram(umoci, ['tag', '--image', `${made}:new`, 'again'])
  await runProgram(umoci, ['gc', '--layout', made])
  assert.deepEqual(
    umocis
      .references()
      .map(({ name }) => String(name))
      .toSorted(),
    ['again', 'new', 'ours'],
  )
  await readAll(umocis.resolve('ours'), umocis.blobs)
  // Ours takes what theirs left loose, and nothing of what is named.
  await umocis.collectGarbage(Date.now() + 3_600_000)
  for (const { descriptor } of umocis.references()) await readAll(descriptor, umocis.blobs)
})

test('a layout of buildah is a base', async (t) => {
  const buildah = requirePeer(t, 'buildah')
  if (buildah === undefined || !requireRoot(t)) return
  const dir = temporaryFolder(t)
  const storage = [`--root=${join(dir, 'root')}`, `--runroot=${join(dir, 'run')}`, '--storage-driver=vfs']
  const { out } = await runProgram(buildah, [...storage, 'from', 'scratch'])
  writeFileSync(join(dir, 'file'), 'text')
  await runProgram(buildah, [...storage, 'copy', out.trim(), join(dir, 'file'), '/file'])
  await runProgram(buildah, [...storage, 'commit', '--quiet', out.trim(), `oci:${join(dir, 'made')}:made`])
  const { blobs } = openLayout(join(dir, 'cache'))
  const sources = { folder: dir, cache: blobs, pull: () => assert.fail('nothing is fetched') }
  const base = await openBase('oci:made:made', platform, sources)
  assert.equal(base.manifest.layers.length, 1)
  assert.equal((await readBaseContents(base.manifest, base.blobs)).libc, undefined)
})

test('archives go to skopeo and come from it', async (t) => {
  const skopeo = requirePeer(t, 'skopeo')
  if (skopeo === undefined) return
  const dir = temporaryFolder(t)
  const folder = join(dir, 'layout')
  const { descriptor } = await keepImage(folder)
  const { blobs } = readLayout(folder)
  const archive = join(dir, 'ours.tar')
  const manifest = await readManifest(descriptor, blobs)
  await writeDockerArchive(archive, { manifest, blobs, names: ['app:1'] })
  const { out } = await runProgram(skopeo, ['inspect', '--config', `docker-archive:${archive}`])
  assert.deepEqual(JSON.parse(out), await readImageConfig(manifest.config, blobs))
  await runProgram(skopeo, ['copy', '--quiet', `docker-archive:${archive}`, `oci:${join(dir, 'unpacked')}:x`])

  const theirs = join(dir, 'theirs.tar')
  await runProgram(skopeo, ['copy', '--quiet', `oci:${folder}:app:1`, `docker-archive:${theirs}:app:1`])
  const opened = await openDockerArchive(theirs)
  const diffIds = (await readImageConfig(manifest.config, blobs)).rootfs.diff_ids
  assert.deepEqual(await readAll(opened.resolve(), opened.blobs), diffIds)
})

test(
  'docker loads our archive with gzip and plain layers, and what it saves is read',
  { timeout: 120_000 },
  async (t) => {
    const daemon = await startDockerDaemon(t)
    if (daemon === undefined) return
    const dir = temporaryFolder(t)
    const folder = join(dir, 'layout')
    const { descriptor } = await keepImage(folder)
    const { blobs } = readLayout(folder)
    const manifest = await readManifest(descriptor, blobs)
    const archive = join(dir, 'ours.tar')
    await writeDockerArchive(archive, { manifest, blobs, names: ['app:1', 'app:latest'] })
    await daemon.docker(['load', '--input', archive])
    const { out } = await daemon.docker(['inspect', '--format={{.Id}} {{.Config.User}}', 'app:latest'])
    assert.equal(out.trim(), `${manifest.config.digest} 65532`)

    const saved = join(dir, 'saved.tar')
    await daemon.docker(['save', '--output', saved, 'app:1'])
    const opened = await openDockerArchive(saved)
    const root = opened.resolve()
    const diffIds = (await readImageConfig(manifest.config, blobs)).rootfs.diff_ids
    assert.deepEqual(await readAll(root, opened.blobs), diffIds)
    const [described] = (await describeImage(root, opened.blobs)).platforms
    assert.equal(described?.run.user, '65532')
    assert.deepEqual(
      described.layers.map(({ createdBy }) => createdBy),
      ['lower', 'upper'],
    )
  },
)

test(
  'a base of real Debian packages: what dpkg has installed, glibc and the C++ library',
  { timeout: 120_000 },
  async (t) => {
    const dpkg = requirePeer(t, 'dpkg-query')
    if (dpkg === undefined || !requireRoot(t)) return
    const dir = temporaryFolder(t)
    const base = await makeBaseImage('cc')
    const sources = { folder: dir, cache: openLayout(join(dir, 'cache')).blobs, pull: () => assert.fail() }
    const { manifest, blobs } = await openBase(`oci:${base}:latest`, platform, sources)
    const contents = await readBaseContents(manifest, blobs)
    assert.deepEqual([contents.libc, contents.hasCppLibrary], ['glibc', true])

    // The machine's own list, as a layer: dpkg itself says what is right.
    const status = readFileSync('/var/lib/dpkg/status', 'utf8')
    mkdirSync(join(dir, 'own'))
    const own = openLayout(join(dir, 'own'))
    const image = await keepSampleImage(own.blobs, [[['var/lib/dpkg/status', status]]], { platform })
    const { packages } = await readBaseContents(await readManifest(image.descriptor, own.blobs), own.blobs)
    const format = '-f=${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package}\n'
    const { out } = await runProgram(dpkg, ['-W', format])
    const expected = out.split('\n').filter((line) => line.startsWith('installed '))
    assert.ok(expected.length > 50)
    assert.deepEqual(
      packages
        .map(
          ({ name, version, architecture, source }) =>
            `installed ${name} ${version} ${architecture} ${source?.split(' ')[0] ?? name}`,
        )
        .toSorted(),
      expected.toSorted(),
    )
  },
)
