import type { Refusal } from './refusal.ts'

const scaledWith = (behavior: object): Refusal['spec'] => ({
  autoscaling: { maxReplicas: 4, targets: { concurrency: 4 }, behavior },
})

const bytes = [
  { path: 'serving.maxBody', least: 1, write: (maxBody: unknown) => ({ serving: { maxBody } }) },
  { path: 'resources.memory', least: 1_048_576, write: (memory: unknown) => ({ resources: { memory } }) },
  { path: 'gpu.minMemory', least: 1_048_576, write: (minMemory: unknown) => ({ gpu: { minMemory } }) },
].flatMap(({ path, least, write }): Refusal[] => [
  {
    name: `a wrong unit, ${path}`,
    spec: write('1GB'),
    field: `spec.${path}`,
    words: /`1GB` is not a Kubernetes quantity; write for example 512Mi or 1G/,
  },
  {
    name: `too little, ${path}`,
    spec: write('0'),
    field: `spec.${path}`,
    words: new RegExp(`\`0\` is too little; the least is ${least} B`),
  },
  { name: `too much, ${path}`, spec: write('8Pi'), field: `spec.${path}` },
])

const cores = ['cpu', 'cpuLimit'].flatMap((field): Refusal[] => [
  ...[0, 1025, '-1'].map((value) => ({
    name: `${value} cores, ${field}`,
    spec: { resources: { [field]: value } },
    field: `spec.resources.${field}`,
    words: new RegExp(`\`${value}\` cores is outside 1m to 1024`),
  })),
  {
    name: `cores in words, ${field}`,
    spec: { resources: { [field]: '2 cores' } },
    field: `spec.resources.${field}`,
    words: /`2 cores` is not a Kubernetes quantity; write for example 500m or 2/,
  },
])

export const ofQuantities: readonly Refusal[] = [
  ...bytes,
  {
    name: 'half a byte',
    spec: { resources: { memory: '512m' } },
    field: 'spec.resources.memory',
    words: /`512m` is too little; the least is 1048576 B/,
  },
  ...cores,
  {
    name: 'a share above one',
    spec: scaledWith({ scaleUp: { tolerance: '1.5' } }),
    field: 'spec.autoscaling.behavior.scaleUp.tolerance',
  },
  {
    name: 'a share below zero',
    spec: scaledWith({ scaleDown: { tolerance: '-1m' } }),
    field: 'spec.autoscaling.behavior.scaleDown.tolerance',
  },
]
