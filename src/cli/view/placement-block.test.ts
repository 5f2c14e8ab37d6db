import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuNode, gpuAsk, gpuNode, podOf } from '../../../test/kit/gpu-nodes.ts'
import { planPlacement } from '../../decide/placement/plan-placement.ts'
import { renderPlacement } from './placement-block.ts'

test('a spec and a cluster: how much fits, how it would come in, and why not where not', () => {
  const ask = gpuAsk({ minMemoryBytes: 16 * 1024 ** 3 })
  const placement = planPlacement({
    nodes: [
      gpuNode('gpu-a', 'a10', 1),
      gpuNode('gpu-b', 't4', 4),
      gpuNode('gpu-c', 'a10', 3),
      cpuNode('c1'),
      cpuNode('c2'),
    ],
    pods: [podOf(ask, { node: 'gpu-a' })],
    quotas: [{ name: 'gpus', hard: { 'requests.nvidia.com/gpu': 4 }, used: { 'requests.nvidia.com/gpu': 1 } }],
    ask,
    own: { namespace: 'ml', service: 'cats', revision: '' },
    replicas: 2,
    surge: 'Auto',
  })
  assert.deepEqual(renderPlacement({ name: 'cats', replicas: 2, ask, placement }).join('\n').split('\n'), [
    'cats: 2 replicas, each with 1 nvidia.com/gpu, 1 cpu, 1Gi memory',
    '  room         for 3 more now',
    '  quota        gpus: 1 of 4 requests.nvidia.com/gpu in use',
    '  placement    Surge: there is room for 3, 2 wanted',
    '',
    'NODE      MORE  WHY NOT',
    'gpu-a     0     0 of nvidia.com/gpu free, 1 wanted (ml/train holds 1)',
    'gpu-b     0     15360 MiB of GPU memory, 16384 wanted',
    'gpu-c     3',
    '2 others  0     no nvidia.com/gpu',
  ])
})
