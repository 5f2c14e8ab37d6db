import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type MemoryBlobs, createMemoryBlobs } from '../../../test/kit/registry-rig.ts'
import { type Descriptor, mediaTypes } from './descriptor.ts'
import { readDocument } from './document.ts'
import { listBranches, readTree } from './image-tree.ts'

function addIndex(blobs: MemoryBlobs, manifests: readonly Descriptor[], more: object = {}): Descriptor {
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests, ...more }
  return blobs.add(mediaTypes.index, Buffer.from(JSON.stringify(index)))
}

function addManifest(blobs: MemoryBlobs, name: string, more: object = {}): Descriptor {
  const config = blobs.add(mediaTypes.empty, Buffer.from('{}'))
  const manifest = { schemaVersion: 2, config, layers: [], annotations: { name }, ...more }
  return blobs.add(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)))
}

const forPlatform = (descriptor: Descriptor, architecture: string): Descriptor => ({
  ...descriptor,
  platform: { os: 'linux', architecture },
})

test('every document is read once, and comes after all that it names', async () => {
  const children = fc.array(fc.nat(), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.array(children, { minLength: 1, maxLength: 7 }), async (shape) => {
      const blobs = createMemoryBlobs()
      const made = [addManifest(blobs, 'a'), addManifest(blobs, 'b')]
      for (const [at, links] of shape.entries()) {
        const named = links.map((link) => made[link % made.length] ?? assert.fail())
        made.push(addIndex(blobs, named, { annotations: { at: String(at) } }))
      }
      const root = made.at(-1) ?? assert.fail()
      const asked: string[] = []
      const nodes = await readTree(root, async (descriptor) => {
        asked.push(descriptor.digest)
        return await readDocument(descriptor, blobs)
      })
      assert.equal(new Set(asked).size, asked.length)
      const order = nodes.map(({ descriptor }) => descriptor.digest)
      assert.deepEqual(new Set(order), new Set(asked))
      assert.equal(order.at(-1), root.digest)
      for (const [at, node] of nodes.entries())
        if (node.kind === 'Index')
          for (const { digest } of node.index.manifests) assert.ok(order.slice(0, at).includes(digest))
    }),
    { numRuns: 50 },
  )
})

test('one image for two platforms is read once and stands for both', async () => {
  const blobs = createMemoryBlobs()
  const image = addManifest(blobs, 'a')
  const root = addIndex(blobs, [forPlatform(image, 'amd64'), forPlatform(image, 'arm64'), forPlatform(image, 'amd64')])
  const branches = await listBranches(root, blobs)
  assert.deepEqual(
    branches.map(({ descriptor }) => descriptor.platform?.architecture),
    ['amd64', 'arm64'],
  )
})

test('indexes in one another are followed as deep as is honest, and no deeper', async () => {
  const blobs = createMemoryBlobs()
  let root = addManifest(blobs, 'a')
  for (let depth = 0; depth < 8; depth++) root = addIndex(blobs, [root])
  assert.equal((await listBranches(root, blobs)).length, 1)
  await assert.rejects(listBranches(addIndex(blobs, [root]), blobs), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /more than 8 deep/,
  })
})

test('an index that leads to more than any honest one is given up after a few thousand', async () => {
  const blobs = createMemoryBlobs()
  const images = Array.from({ length: 5000 }, (_, at) => addManifest(blobs, String(at)))
  let read = 0
  const reading = readTree(addIndex(blobs, images), async (descriptor) => {
    read++
    return blobs.content.get(descriptor.digest)
  })
  await assert.rejects(reading, { code: 'TL_IMAGE_UNREADABLE', message: /leads to more than 4096 others/ })
  assert.ok(read < 5000)
})

test('documents that are too large together are given up', async () => {
  const blobs = createMemoryBlobs()
  const padding = 'x'.repeat(4_000_000)
  const images = Array.from({ length: 17 }, (_, at) => addManifest(blobs, String(at), { padding }))
  await assert.rejects(listBranches(addIndex(blobs, images), blobs), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /documents of more than 67108864 bytes/,
  })
})

test('what is not there is told apart from what is no document', async () => {
  const blobs = createMemoryBlobs()
  const gone = { ...addManifest(createMemoryBlobs(), 'gone') }
  const other = blobs.add('text/plain', Buffer.from('x'))
  const root = addIndex(blobs, [gone, other])
  assert.deepEqual(await listBranches(root, blobs), [{ descriptor: gone, manifest: undefined }])
  const nodes = await readTree(root, async ({ digest }) => blobs.content.get(digest))
  assert.deepEqual(
    nodes.map(({ kind }) => kind),
    ['Unread', 'Blob', 'Index'],
  )
})

test('a document of another size than what leads to it says is refused', async () => {
  const blobs = createMemoryBlobs()
  const image = addManifest(blobs, 'a')
  const root = addIndex(blobs, [image, forPlatform({ ...image, size: image.size + 1 }, 'arm64')])
  await assert.rejects(listBranches(root, blobs), { code: 'TL_BLOB_MISMATCH' })
})
