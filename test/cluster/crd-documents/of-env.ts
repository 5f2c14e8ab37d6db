import type { Refusal } from './refusal.ts'

export const ofEnv: readonly Refusal[] = [
  ...['CUDA_VISIBLE_DEVICES', 'NVIDIA_VISIBLE_DEVICES', 'PORT', 'TOWLINE_X'].map((name) => ({
    name: `${name} in env`,
    spec: { env: [{ name, value: '1' }] },
    field: 'spec.env[0].name',
  })),
  {
    name: 'a value and a reference',
    spec: { env: [{ name: 'A', value: '1', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }] },
    field: 'spec.env[0].name',
  },
  { name: 'neither', spec: { env: [{ name: 'A' }] }, field: 'spec.env[0].name' },
  { name: 'a reference to nothing', spec: { env: [{ name: 'A', valueFrom: {} }] }, field: 'spec.env[0].valueFrom' },
  {
    name: 'a reference to two',
    spec: {
      env: [
        { name: 'A', valueFrom: { secretKeyRef: { name: 'a', key: 'b' }, configMapKeyRef: { name: 'a', key: 'b' } } },
      ],
    },
    field: 'spec.env[0].valueFrom',
  },
  { name: 'a secret by name', spec: { env: [{ name: 'Db_Password', value: 'a' }] }, field: 'spec.env[0].value' },
  ...[
    `AKIA${'A1'.repeat(8)}`,
    `hf_${'a'.repeat(30)}`,
    `ghp_${'a'.repeat(30)}`,
    `sk-${'a-'.repeat(15)}`,
    `xoxb-${'1'.repeat(12)}`,
    '-----BEGIN RSA PRIVATE KEY-----\nabc',
  ].map((value) => ({
    name: `a secret by its form, ${value.slice(0, 4)}`,
    spec: { env: [{ name: 'A', value }] },
    field: 'spec.env[0].value',
  })),
  {
    name: 'a name twice',
    spec: {
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    field: 'spec.env[1]',
    words: /Duplicate value/,
  },
  {
    name: 'a NUL',
    spec: { env: [{ name: 'A', value: 'a\0b' }] },
    field: 'spec.env[0].value',
    words: /a value cannot hold a NUL character/,
  },
]
