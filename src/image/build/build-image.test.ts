import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keepSampleImage } from '../../../test/kit/image-sample.ts'
import { openLayerCache } from '../layer/layer-cache.ts'
import { openBlobFolder } from '../layout/blob-folder.ts'
import { digestOf } from '../oci/descriptor.ts'
import { readImageConfig, readManifest } from '../oci/document.ts'
import { openPackageCache } from '../packages/package-cache.ts'
import type { BuildPlan } from '../plan/build-plan.ts'
import { buildImage } from './build-image.ts'

const plan: BuildPlan = {
  name: 'cats',
  platform: { os: 'linux', architecture: 'amd64' },
  base: { reference: 'base:1', why: '' },
  layers: (['Gzip', 'None'] as const).map((compression) => ({
    name: compression,
    why: '',
    compression,
    content: { kind: 'Documents', documents: [{ path: `etc/${compression}`, text: 'text' }] },
  })),
  run: {},
  model: { digest: '', sizeBytes: 0 },
  notes: [],
}

test('whatever blob of an image has a flipped bit, the next build makes it anew', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-build-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const blobs = openBlobFolder(join(folder, 'bases'))
  const { descriptor } = await keepSampleImage(blobs, [[['etc/base', '']]])
  const manifest = await readManifest(descriptor, blobs)
  const base = { digest: descriptor.digest, manifest, config: await readImageConfig(manifest.config, blobs), blobs }
  const store = openBlobFolder(join(folder, 'images'))
  const workshop = {
    packages: openPackageCache(join(folder, 'packages'), { fetch: () => assert.fail('nothing is fetched') }),
    codeRoot: folder,
    layers: openLayerCache(join(folder, 'layers')),
    store,
    epochS: 0,
  }
  const first = await buildImage(plan, base, workshop)
  const names = readdirSync(join(store.folder, 'sha256'))
  assert.equal(names.length, 5)
  for (const name of names) {
    const path = join(store.folder, 'sha256', name)
    const bytes = readFileSync(path)
    // In place: a layer is one file with that of the cache.
    writeFileSync(path, bytes.with(bytes.length - 1, 255))
    assert.equal((await buildImage(plan, base, workshop)).manifest.digest, first.manifest.digest)
    assert.equal(digestOf(readFileSync(path)), `sha256:${name}`)
  }
})
