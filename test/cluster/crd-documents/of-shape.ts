import type { Refusal } from './refusal.ts'

const double = { words: /Duplicate value/ }

/** What the schema says by itself, in the server's words. */
export const ofShape: readonly Refusal[] = [
  { name: 'an unknown word', spec: { rollout: { surge: 'Blue' } }, field: 'spec.rollout.surge', words: /supported/ },
  { name: 'a fraction', spec: { replicas: 1.5 }, field: 'spec.replicas', words: /must be of type integer/ },
  { name: 'too many', spec: { replicas: 1001 }, field: 'spec.replicas', words: /less than or equal to 1000/ },
  {
    name: 'no duration',
    spec: { lifecycle: { drainTimeout: '5 min' } },
    field: 'spec.lifecycle.drainTimeout',
    words: /should match/,
  },
  {
    name: 'a word after a version',
    spec: { gpu: { minComputeCapability: '8' } },
    field: 'spec.gpu.minComputeCapability',
    words: /should match/,
  },
  {
    name: 'no address',
    spec: { model: { digest: `sha256:${'1'.repeat(64)}` } },
    field: 'spec.model.uri',
    words: /Req/,
  },
  {
    name: 'a volume twice',
    spec: { pod: { volumes: [{ name: 'a' }, { name: 'a' }] } },
    field: 'spec.pod.volumes[1]',
    ...double,
  },
  {
    name: 'a place twice',
    spec: {
      pod: {
        volumes: [{ name: 'a' }],
        mounts: [
          { name: 'a', mountPath: '/a' },
          { name: 'a', mountPath: '/a' },
        ],
      },
    },
    field: 'spec.pod.mounts[1]',
    ...double,
  },
  {
    name: 'a pull secret twice',
    spec: { pod: { imagePullSecrets: [{ name: 'a' }, { name: 'a' }] } },
    field: 'spec.pod.imagePullSecrets[1]',
    ...double,
  },
  {
    name: 'a host twice',
    spec: { expose: { hostnames: ['a.example', 'a.example'] } },
    field: 'spec.expose.hostnames[1]',
    ...double,
  },
  {
    name: 'a query twice',
    spec: {
      autoscaling: {
        maxReplicas: 2,
        prometheus: [
          { name: 'a', query: 'a', perReplica: 1 },
          { name: 'a', query: 'b', perReplica: 1 },
        ],
      },
    },
    field: 'spec.autoscaling.prometheus[1]',
    ...double,
  },
]
