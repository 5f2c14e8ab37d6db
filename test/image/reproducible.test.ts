import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BuiltDescription } from '../../src/cli/view/image/built-rows.ts'
import type { Index } from '../../src/image/oci/manifest.ts'
import { measuredLayer, readRuntimeLock } from '../../src/image/runtime/runtime-lock.ts'
import { makeBaseImage } from '../kit/containers/debian-base.ts'
import { nextNode } from '../kit/containers/peers-folder.ts'
import { runProgram } from '../kit/containers/program.ts'
import { requireRoot } from '../kit/containers/require-root.ts'
import { requirePeer, skipWithout } from '../kit/peer.ts'
import { copyExample, makeFolder, readTowline } from './project.ts'
import { writeTwoPlatformBase } from './two-platform-base.ts'
import { type Made, type Variant, buildVariant } from './variant.ts'

const plain: Variant = {
  node: process.execPath,
  umask: '022',
  env: { TZ: 'UTC', LC_ALL: 'C' },
  fileMode: 0o644,
  mtimeS: 1_000_000_000,
  order: 'Forward',
}

/** Each differs from the plain one in everything that it names. */
const others: Readonly<Record<string, Partial<Variant>>> = {
  'west of the date line, in German, with files for their owner alone, made in another order': {
    umask: '077',
    env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'de_DE.UTF-8' },
    fileMode: 0o600,
    mtimeS: 1_700_000_001,
    order: 'Backward',
  },
  'with the next major of Node, in Turkish, with files that a group may write': {
    node: nextNode,
    umask: '000',
    env: { TZ: 'America/St_Johns', LC_ALL: 'tr_TR.UTF-8' },
    fileMode: 0o664,
    mtimeS: 1,
  },
}

test('the same project is the same image, with any cache, umask, zone, language and Node', async (t) => {
  if (!requireNextNode(t) || !requireRoot(t) || requirePeer(t, 'dpkg-deb') === undefined) return
  const base = await makeBaseImage('cc')
  const wanted = await buildVariant(t, base, plain)
  assert.ok(
    wanted.built.images[0]?.layers.every(({ isRemembered }) => !isRemembered),
    'nothing was made before',
  )
  assert.equal(wanted.named.length, 3)
  for (const [name, change] of Object.entries(others))
    await t.test(name, async (t) => {
      const seen = await buildVariant(t, base, { ...plain, ...change })
      assert.deepEqual(layersOf(seen), layersOf(wanted))
      assert.equal(seen.built.digest, wanted.built.digest)
      assert.equal(seen.lock, wanted.lock)
      assert.deepEqual(seen.named, wanted.named)
    })
})

test('two platforms are one index, each with its own programs, and both as this version names them', async (t) => {
  if (requirePeer(t, 'skopeo') === undefined) return
  const project = copyExample(t)
  const base = makeFolder(t, 'base')
  await writeTwoPlatformBase(base)
  const platforms = ['linux/amd64', 'linux/arm64']
  const command = ['build', '--base', `oci:${base}`, '--platform', platforms.join(',')]
  const built = await readTowline<BuiltDescription>(project, command)
  assert.deepEqual(
    built.images.map(({ platform }) => platform),
    platforms,
  )
  const blobFile = (digest: string): string => join(built.layout, 'blobs', 'sha256', digest.slice('sha256:'.length))
  const index = JSON.parse(readFileSync(blobFile(built.digest), 'utf8')) as Index
  assert.deepEqual(
    index.manifests.map(({ digest, platform }) => [digest, `${platform?.os}/${platform?.architecture}`]),
    built.images.map(({ digest, platform }) => [digest, platform]),
  )
  const { lock } = readRuntimeLock()
  for (const { platform, layers } of built.images) {
    const measured = layers.filter(({ name }) => measuredLayer(lock, name, platform) !== undefined)
    assert.deepEqual(
      measured.map(({ name }) => name),
      ['node', 'onnxruntime', 'photos', 'packages'],
    )
    for (const { name, digest } of measured) assert.equal(digest, measuredLayer(lock, name, platform)?.digest, name)
    const [, architecture = ''] = platform.split('/')
    const read = ['inspect', '--override-os=linux', `--override-arch=${architecture}`, '--config']
    const { out } = await runProgram('skopeo', [...read, `oci:${built.layout}:${built.name}`])
    assert.equal((JSON.parse(out) as { architecture: string }).architecture, architecture)

    const machine = machines[platform]
    const cpu = architecture === 'amd64' ? 'x64' : 'arm64'
    const folder = makeFolder(t, architecture)
    for (const { name, digest } of layers) {
      mkdirSync(join(folder, name))
      if (name in programs) await runProgram('tar', ['-xzf', blobFile(digest), '-C', join(folder, name)])
    }
    for (const [layer, files] of Object.entries(programs))
      for (const file of files)
        assert.equal(readMachine(join(folder, layer, file.replaceAll('CPU', cpu))), machine, `${platform} ${file}`)
  }
})

/** `e_machine` of ELF. */
const machines: Readonly<Record<string, number>> = { 'linux/amd64': 62, 'linux/arm64': 183 }

const programs: Readonly<Record<string, readonly string[]>> = {
  node: ['opt/towline/node/bin/node'],
  onnxruntime: [
    'opt/towline/node_modules/onnxruntime-node/bin/napi-v6/linux/CPU/libonnxruntime.so.1',
    'opt/towline/node_modules/onnxruntime-node/bin/napi-v6/linux/CPU/onnxruntime_binding.node',
  ],
}

function readMachine(file: string): number {
  const bytes = readFileSync(file)
  assert.equal(bytes.toString('latin1', 0, 4), '\x7fELF', file)
  return bytes.readUInt16LE(18)
}

function layersOf({ built }: Made): readonly (readonly [name: string, digest: string])[] {
  return built.images.flatMap(({ layers }) => layers.map(({ name, digest }) => [name, digest] as const))
}

function requireNextNode(t: TestContext): boolean {
  if (existsSync(nextNode)) return true
  skipWithout(t, 'the next major of Node is not here; scripts/setup-peers fetches it')
  return false
}
