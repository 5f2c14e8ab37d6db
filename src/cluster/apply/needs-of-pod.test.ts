import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from 'kubernetes-types/core/v1.js'
import { needsOfPod } from './needs-of-pod.ts'

const server = { name: 'server' }
const listNeeds = (spec: PodSpec) =>
  needsOfPod(spec).map(({ kind, name, isOptional }) => `${kind} ${name}${isOptional ? '?' : ''}`)

test('ConfigMaps are needed wherever a pod refers to one', () => {
  const configMap = (name: string) => ({ configMap: { name } })
  const spec: PodSpec = {
    serviceAccountName: 'cats',
    volumes: [
      { name: 'a', ...configMap('volume') },
      { name: 'b', projected: { sources: [configMap('projected'), { secret: { name: 's' } }] } },
      { name: 'c', emptyDir: {} },
    ],
    initContainers: [{ name: 'first', envFrom: [{ configMapRef: { name: 'all' } }, { secretRef: { name: 's' } }] }],
    containers: [
      {
        name: 'server',
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'one', key: 'a' } } },
          { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'b' } } },
          { name: 'C', value: 'c' },
        ],
      },
    ],
  }
  assert.deepEqual(listNeeds(spec), [
    'ConfigMap volume',
    'ConfigMap projected',
    'ConfigMap all',
    'ConfigMap one',
    'ServiceAccount cats',
  ])
})

test('what a pod starts without is optional, and so is the account that each namespace has', () => {
  const volumes = [{ name: 'a', configMap: { name: 'extras', optional: true } }]
  assert.deepEqual(listNeeds({ containers: [server], volumes }), ['ConfigMap extras?', 'ServiceAccount default?'])
})
