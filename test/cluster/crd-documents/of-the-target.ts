import type { Refusal } from './refusal.ts'

const digest = `sha256:${'1'.repeat(64)}`
const steps = [{ weight: 5, bake: '1m' }, { weight: 50 }]
const runtimes = { app: { entrypoint: 'a:b' }, container: { port: 80 }, tensorflow: {}, triton: {}, vllm: {} }

/** What a cluster cannot do yet. */
export const ofTheTarget: readonly Refusal[] = [
  { name: 'a remote model', spec: { model: { uri: 's3://a/b', digest } }, field: 'spec.model.uri' },
  { name: 'a profile', spec: { profile: 'gpu' }, field: 'spec.profile' },
  {
    name: 'credentials of a store',
    spec: { model: { uri: 'image:///models', digest, auth: { secretRef: { name: 'a' } } } },
    field: 'spec.model.auth',
  },
  {
    name: 'a cache',
    spec: { model: { uri: 'image:///models', digest, cache: { persistentVolumeClaim: { name: 'a' } } } },
    field: 'spec.model.cache',
  },
  {
    name: 'a delivery',
    spec: { model: { uri: 'image:///models', digest, delivery: 'Mount' } },
    field: 'spec.model.delivery',
  },
  {
    name: 'another format',
    spec: { model: { uri: 'image:///models', digest, format: 'sklearn' } },
    field: 'spec.model.format',
  },
  ...Object.entries(runtimes).map(([runtime, value]) => ({
    name: `the runtime ${runtime}`,
    spec: { runtime: { [runtime]: value } },
    field: `spec.runtime.${runtime}`,
  })),
  { name: 'batches', spec: { serving: { batching: { mode: 'Auto' } } }, field: 'spec.serving.batching' },
  { name: 'a canary', spec: { rollout: { steps } }, field: 'spec.rollout.steps' },
  { name: 'a gate', spec: { rollout: { requires: [{ environment: 'staging' }] } }, field: 'spec.rollout.requires' },
  {
    name: 'API keys',
    spec: { expose: { apiKeys: { secretRef: { name: 'a' } } } },
    field: 'spec.expose.apiKeys',
  },
  {
    name: 'traces',
    spec: { observability: { traces: { samplePercent: 1, endpoint: 'http://a' } } },
    field: 'spec.observability',
  },
]
