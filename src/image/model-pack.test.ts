import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ModelLayer, type PackableModel, describeModelPack } from './model-pack.ts'
import { digestOf, mediaTypes } from './oci/descriptor.ts'
import type { Manifest } from './oci/manifest.ts'

const digest = (text: string): ReturnType<typeof digestOf> => digestOf(Buffer.from(text))

const weights: ModelLayer = {
  descriptor: { mediaType: mediaTypes.layer, digest: digest('weights'), size: 18_560_000 },
  diffId: digest('weights'),
  files: ['models/image-classifier/model.onnx'],
  purpose: 'Weights',
}
const settings: ModelLayer = {
  descriptor: { mediaType: mediaTypes.layerGzip, digest: digest('settings, packed'), size: 4_000 },
  diffId: digest('settings'),
  files: ['models/image-classifier/card.yaml', 'models/image-classifier/labels.txt'],
  purpose: 'Settings',
}
const model: PackableModel = { name: 'image-classifier', format: 'onnx', layers: [weights, settings] }

const read = ({ bytes }: { readonly bytes: Uint8Array }): unknown => JSON.parse(Buffer.from(bytes).toString())
const readManifest = (document: { readonly bytes: Uint8Array }): Manifest => read(document) as Manifest

test('a model pack names the blobs of the image, by the media types of ModelPack', () => {
  const { manifest, config } = describeModelPack(model)
  assert.deepEqual(readManifest(manifest), {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.cncf.model.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.cncf.model.config.v1+json',
      digest: digestOf(config.bytes),
      size: config.bytes.length,
    },
    layers: [
      {
        mediaType: 'application/vnd.cncf.model.weight.v1.tar',
        digest: weights.descriptor.digest,
        size: 18_560_000,
        annotations: { 'org.cncf.model.filepath': 'models' },
      },
      {
        mediaType: 'application/vnd.cncf.model.weight.config.v1.tar+gzip',
        digest: settings.descriptor.digest,
        size: 4_000,
        annotations: { 'org.cncf.model.filepath': 'models' },
      },
    ],
    annotations: { 'org.opencontainers.image.title': 'image-classifier' },
  })
  assert.deepEqual(manifest.descriptor, {
    mediaType: mediaTypes.manifest,
    digest: digestOf(manifest.bytes),
    size: manifest.bytes.length,
  })
})

test('the config has the digests of the plain tars and no field that was not given', () => {
  assert.deepEqual(read(describeModelPack(model).config), {
    descriptor: { name: 'image-classifier' },
    config: { format: 'onnx' },
    modelfs: { type: 'layers', diffIds: [digest('weights'), digest('settings')] },
  })
  const { config, manifest } = describeModelPack({ ...model, createdAtS: 86_400 })
  assert.deepEqual(read(config), {
    descriptor: { name: 'image-classifier', createdAt: '1970-01-02T00:00:00Z' },
    config: { format: 'onnx' },
    modelfs: { type: 'layers', diffIds: [digest('weights'), digest('settings')] },
  })
  assert.deepEqual(readManifest(manifest).annotations, {
    'org.opencontainers.image.title': 'image-classifier',
    'org.opencontainers.image.created': '1970-01-02T00:00:00Z',
  })
})

test('a file that lies in no folder is its own path, and zstd is said', () => {
  const { manifest } = describeModelPack({
    ...model,
    layers: [
      { ...weights, descriptor: { ...weights.descriptor, mediaType: mediaTypes.layerZstd }, files: ['model.onnx'] },
    ],
  })
  const [layer] = readManifest(manifest).layers
  assert.equal(layer?.mediaType, 'application/vnd.cncf.model.weight.v1.tar+zstd')
  assert.deepEqual(layer.annotations, { 'org.cncf.model.filepath': 'model.onnx' })
})

test('a layer that is no tar is refused by its media type', () => {
  const odd = { ...weights, descriptor: { ...weights.descriptor, mediaType: mediaTypes.config } }
  assert.throws(() => describeModelPack({ ...model, layers: [odd] }), {
    code: 'TL_IMAGE_UNREADABLE',
    message: /has the media type application\/vnd\.oci\.image\.config\.v1\+json/,
  })
})
