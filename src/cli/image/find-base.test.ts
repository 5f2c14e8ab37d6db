import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keepSampleImage } from '../../../test/kit/image-sample.ts'
import { createMemoryBlobs, openTestRegistry } from '../../../test/kit/registry-rig.ts'
import { startStrictRegistry } from '../../../test/kit/strict-registry/strict-registry.ts'
import { openLayout } from '../../image/layout/oci-layout.ts'
import { digestOf } from '../../image/oci/descriptor.ts'
import { pushImage } from '../../image/registry/push.ts'
import { parseReference } from '../../image/registry/reference.ts'
import { createTerminal } from '../term/terminal.ts'
import { readBase } from './find-base.ts'

const platform = { os: 'linux', architecture: 'amd64' }
const status = 'Package: libc6\nStatus: install ok installed\nVersion: 2.41-1\nArchitecture: amd64\n'

/** A base in a registry, named by digest, and an empty cache. */
async function createRig(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'towline-bases-'))
  const server = await startStrictRegistry({})
  t.after(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })
  const blobs = createMemoryBlobs()
  const { descriptor } = await keepSampleImage(blobs, [[['var/lib/dpkg/status', status]], [['etc/a', 'b']]], {
    platform,
    compression: ['gzip', 'none'],
  })
  const registry = openTestRegistry(server.host)
  await pushImage(registry, { root: descriptor, blobs, target: parseReference(`${server.host}/base:1`) })
  await registry.close()
  const bases = openLayout(join(folder, 'bases'))
  const terminal = { ...createTerminal(process), err: () => undefined }
  const search = { terminal, flags: { plainHttp: true }, bases, folder, signal: AbortSignal.timeout(20_000) }
  const read = () => readBase(`${server.host}/base@${descriptor.digest}`, platform, search)
  return { server, bases, read, cached: join(folder, 'bases', 'blobs', 'sha256') }
}

test('a base that is named by digest is fetched once', async (t) => {
  const { server, read } = await createRig(t)
  const { contents } = await read()
  assert.deepEqual(
    contents.packages.map(({ name }) => name),
    ['libc6'],
  )
  const before = server.requests.get('BlobGet')
  assert.deepEqual((await read()).contents, contents)
  assert.equal(server.requests.get('BlobGet'), before)
})

test('whatever part of a kept base has a flipped bit or is missing, it is fetched again within the same build', async (t) => {
  const { bases, read, cached } = await createRig(t)
  const { contents } = await read()
  const names = readdirSync(cached)
  assert.equal(names.length, 4)
  for (const name of names) {
    const path = join(cached, name)
    const bytes = readFileSync(path)
    for (const damage of [
      () => writeFileSync(path, bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1)),
      () => rmSync(path),
    ]) {
      damage()
      assert.deepEqual((await read()).contents, contents)
      assert.equal(digestOf(readFileSync(path)), `sha256:${name}`)
    }
  }
  assert.equal(bases.references().length, 1)
})
