import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { type SampleFile, type SampleOptions, keepSampleImage } from '../../../test/kit/image-sample.ts'
import { openBlobFolder } from '../layout/blob-folder.ts'
import { readImageConfig, readManifest } from '../oci/document.ts'
import { type BaseContents, readBaseContents } from './base-packages.ts'

function temporaryFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'towline-base-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

async function readLayers(
  dir: string,
  layers: readonly (readonly SampleFile[])[],
  options: SampleOptions = {},
): Promise<BaseContents> {
  const blobs = openBlobFolder(dir)
  const { descriptor } = await keepSampleImage(blobs, layers, options)
  return readBaseContents(await readManifest(descriptor, blobs), blobs)
}

test('a layer that does not unpack to what its image says is found, packed or not', async (t) => {
  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    const blobs = openBlobFolder(temporaryFolder(t))
    const { descriptor } = await keepSampleImage(blobs, [[['a', '1']]], { compression: [compression] })
    const manifest = await readManifest(descriptor, blobs)
    const { rootfs } = await readImageConfig(manifest.config, blobs)
    await readBaseContents(manifest, blobs, rootfs.diff_ids)
    await assert.rejects(readBaseContents(manifest, blobs, [`sha256:${'1'.repeat(64)}`]), {
      code: 'TL_BLOB_MISMATCH',
      message: /its image says sha256:1111/,
    })
  }
})

const status = 'var/lib/dpkg/status'
const stanza = (name: string, version: string): string =>
  `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\n\n`
const named = ({ packages }: BaseContents): string[] => packages.map(({ name, version }) => `${name} ${version}`)

test('an image like Debian: the newest status wins, os-release is followed over its link', async (t) => {
  const contents = await readLayers(
    temporaryFolder(t),
    [
      [
        [status, stanza('libc6', '2.41-1')],
        ['etc/os-release', { to: '../usr/lib/os-release' }],
        ['usr/lib/os-release', 'ID=debian\nVERSION_ID="13"\n'],
        ['usr/lib/x86_64-linux-gnu/libc.so.6', ''],
        ['usr/lib64/ld-linux-x86-64.so.2', { to: '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' }],
      ],
      [[status, stanza('libc6', '2.41-2') + stanza('libstdc++6', '14')]],
      [['usr/lib/x86_64-linux-gnu/libstdc++.so.6', { to: 'libstdc++.so.6.0.33' }]],
    ],
    { compression: ['gzip', 'zstd', 'none'] },
  )
  assert.deepEqual(named(contents), ['libc6 2.41-2', 'libstdc++6 14'])
  assert.deepEqual(contents.osRelease, { id: 'debian', versionId: '13' })
  assert.equal(contents.libc, 'glibc')
  assert.equal(contents.hasCppLibrary, true)
})

test('an image like distroless: a file for each package, sums passed over, names with ./ before them', async (t) => {
  const contents = await readLayers(temporaryFolder(t), [
    [
      ['./var/lib/dpkg/status.d/base', stanza('base-files', '13.8')],
      ['./var/lib/dpkg/status.d/base.md5sums', stanza('no-package', '1')],
      ['./etc/os-release', 'PRETTY_NAME="Distroless"\nID="debian"\n'],
    ],
    [
      ['./var/lib/dpkg/status.d/libc6', stanza('libc6', '2.41')],
      ['./lib/x86_64-linux-gnu/ld-linux-x86-64.so.2', ''],
    ],
  ])
  assert.deepEqual(named(contents), ['base-files 13.8', 'libc6 2.41'])
  assert.deepEqual(contents.osRelease, { id: 'debian', prettyName: 'Distroless' })
  assert.deepEqual([contents.libc, contents.hasCppLibrary], ['glibc', false])
})

test('an image like Alpine has musl, also with a loader that passes for that of glibc; an empty one has none', async (t) => {
  const dir = temporaryFolder(t)
  const musl: SampleFile[] = [['lib/ld-musl-x86_64.so.1', '']]
  assert.equal((await readLayers(dir, [musl])).libc, 'musl')
  const compat: SampleFile[] = [['lib/ld-linux-x86-64.so.2', { to: 'libgcompat.so.0' }]]
  assert.equal((await readLayers(dir, [musl, compat])).libc, 'musl')
  const both: SampleFile[] = [...musl, ...compat, ['usr/lib/x86_64-linux-gnu/libc.so.6', '']]
  assert.equal((await readLayers(dir, [both])).libc, 'glibc')
  assert.deepEqual(await readLayers(dir, []), {
    packages: [],
    osRelease: undefined,
    libc: undefined,
    hasCppLibrary: false,
  })
})

test('what a layer removes, empties or covers is gone, and what the same layer brings stays', async (t) => {
  const dir = temporaryFolder(t)
  const folder = 'var/lib/dpkg/status.d'
  const lower: SampleFile[] = [
    [`${folder}/a`, stanza('a', '1')],
    [`${folder}/b`, stanza('b', '1')],
  ]
  const after = async (...layer: SampleFile[]): Promise<string[]> => named(await readLayers(dir, [lower, layer]))
  assert.deepEqual(await after([`${folder}/.wh.a`, '']), ['b 1'])
  assert.deepEqual(await after(['var/lib/.wh.dpkg', '']), [])
  assert.deepEqual(await after(['.wh.var', '']), [])
  assert.deepEqual(await after(['.wh..wh..opq', '']), [])
  // The order within one layer says nothing.
  assert.deepEqual(await after([`${folder}/b`, stanza('b', '2')], [`${folder}/.wh..wh..opq`, '']), ['b 2'])
  assert.deepEqual(await after([`${folder}/.wh..wh..opq`, ''], [`${folder}/b`, stanza('b', '2')]), ['b 2'])
  assert.deepEqual(await after(['var/lib/dpkg', { to: '/elsewhere' }]), [])
  assert.deepEqual(await after([`${folder}/a`, { to: '/dev/null' }]), ['b 1'])
  assert.deepEqual(await after(['var/lib/dpkg/', '']), ['a 1', 'b 1'])
  assert.deepEqual(await after(['var/lib/.wh.dpk', '']), ['a 1', 'b 1'])
})

type Step = { readonly kind: 'Put' | 'Remove' | 'Empty'; readonly at: number }
const steps = fc.array(fc.record({ kind: fc.constantFrom('Put', 'Remove', 'Empty'), at: fc.nat(3) }), { maxLength: 4 })

test('layers over each other show what a file system would that they are unpacked into one by one', async (t) => {
  const dir = temporaryFolder(t)
  const folder = 'var/lib/dpkg/status.d'
  await fc.assert(
    fc.asyncProperty(fc.array(steps as fc.Arbitrary<Step[]>, { maxLength: 5 }), async (layers) => {
      const model = new Map<string, string>()
      for (const [version, layer] of layers.entries()) {
        if (layer.some(({ kind }) => kind === 'Empty')) model.clear()
        for (const { kind, at } of layer) if (kind === 'Remove') model.delete(`p${at}`)
        for (const { kind, at } of layer) if (kind === 'Put') model.set(`p${at}`, `p${at} ${version}`)
      }
      const packed = layers.map((layer, version) =>
        layer.map(({ kind, at }): SampleFile => {
          if (kind === 'Put') return [`${folder}/p${at}`, stanza(`p${at}`, String(version))]
          return [`${folder}/${kind === 'Remove' ? `.wh.p${at}` : '.wh..wh..opq'}`, '']
        }),
      )
      const expected = [...model.values()].toSorted((a, b) => (a < b ? -1 : 1))
      assert.deepEqual(named(await readLayers(dir, packed, { compression: ['none'] })), expected)
    }),
    { numRuns: 20 },
  )
})

test('a damaged layer is a failure with its digest, whatever way it is damaged', async (t) => {
  const blobs = openBlobFolder(temporaryFolder(t))
  const { descriptor, layers } = await keepSampleImage(blobs, [[[status, stanza('a', '1')]]])
  const manifest = await readManifest(descriptor, blobs)
  const [layer] = layers
  writeFileSync(blobs.pathOf(layer?.digest ?? assert.fail()), Buffer.alloc(layer?.size ?? 0))
  await assert.rejects(readBaseContents(manifest, blobs), {
    code: 'TL_IMAGE_UNREADABLE',
    message: new RegExp(`the layer ${layer?.digest} \\(incorrect header check\\)`),
  })
  writeFileSync(blobs.pathOf(layer?.digest ?? assert.fail()), '')
  await assert.rejects(readBaseContents(manifest, blobs), { code: 'TL_BLOB_MISMATCH', message: /ended after 0 of the/ })
})
