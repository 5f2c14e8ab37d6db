import type { Refusal } from './refusal.ts'

const digest = `sha256:${'1'.repeat(64)}`

export const ofSealing: readonly Refusal[] = [
  { name: 'a local model', spec: { model: { uri: './model', digest } }, field: 'spec.model.uri' },
  { name: 'a model that may change', spec: { model: { uri: 'image:///models' } }, field: 'spec.model.uri' },
  { name: 'an image without a digest', spec: { image: 'registry.example/cats:1' }, field: 'spec.image' },
  { name: 'a recipe without an image', spec: { image: undefined, build: { base: 'a' } }, field: 'spec.build' },
  { name: 'no image', spec: { image: undefined }, field: 'spec' },
  {
    name: 'an address of an unknown kind',
    spec: { model: { uri: 'http://a/b', digest } },
    field: 'spec.model.uri',
    words: /`http:\/\/a\/b` is no address of a model; known are oci, s3/,
  },
  {
    name: 'a password',
    spec: { model: { uri: 'https://a:b@c/d', digest } },
    field: 'spec.model.uri',
    words: /holds a password/,
  },
  {
    name: 'smoke files',
    spec: { rollout: { smoke: ['./a.jpg'] } },
    field: 'spec.rollout.smoke',
  },
]
