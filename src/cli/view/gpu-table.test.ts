import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gpuAsk, gpuNode, migMixedNode, podOf, sharedNode } from '../../../test/kit/gpu-nodes.ts'
import { listGpuNodes } from '../../cluster/inventory/gpu-nodes.ts'
import { renderGpuNodes } from './gpu-table.ts'

const render = (
  ...[nodes, pods = [], unseen = []]: [
    Parameters<typeof listGpuNodes>[0]['nodes'],
    Parameters<typeof listGpuNodes>[0]['pods']?,
    string[]?,
  ]
): string[] => renderGpuNodes(listGpuNodes({ nodes, pods, unseen })).join('\n').split('\n')

test('each kind of device has a row, each holder a line, and nothing is wider than 80 columns', () => {
  const team = { key: 'dedicated', value: 'research', effect: 'NoSchedule' }
  const lines = render(
    [
      gpuNode('gpu-a', 'a100', 8, { labels: { 'nvidia.com/cuda.runtime-version.full': '13.0' } }),
      gpuNode('gpu-b', 't4', 2, { taints: [team, { key: 'nvidia.com/gpu', effect: 'NoSchedule' }] }),
      migMixedNode('gpu-c', 0, { '1g.10gb': { count: 2, memoryMiB: 9728 } }),
      sharedNode('gpu-d', 'time-slicing', 4),
      gpuNode('gpu-e', 'a10', 1, { isCordoned: true }),
    ],
    [
      podOf(gpuAsk({ count: 2 }), { node: 'gpu-a' }),
      podOf(gpuAsk(), { node: 'gpu-a', name: 'old', isTerminating: true }),
    ],
  )
  assert.deepEqual(lines, [
    'NODE   GPU             MEMORY  FREE    KIND            DRIVER/CUDA     STATE',
    'gpu-a  A100-SXM4-80GB  80Gi    5 of 8  whole           580.65.06/13.0  ready',
    'gpu-b  T4              15Gi    2 of 2  whole           580.65.06       tainted',
    'gpu-c  A100-SXM4-80GB  9.5Gi   2 of 2  MIG 1g.10gb     580.65.06       ready',
    'gpu-d  A10             22.4Gi  4 of 4  time-sliced ×4  580.65.06       ready',
    'gpu-e  A10             22.4Gi  1 of 1  whole           580.65.06       cordoned',
    '',
    'TAINTED  TAINT',
    'gpu-b    dedicated=research:NoSchedule',
    '',
    'HELD BY          NODE   COUNT  RESOURCE',
    'ml/train         gpu-a  2      nvidia.com/gpu',
    'ml/old (ending)  gpu-a  1      nvidia.com/gpu',
  ])
  assert.ok(Math.max(...lines.map(({ length }) => length)) <= 80)
})

test('what is not known is no number, and devices that nobody offers are none', () => {
  const unknown = render([gpuNode('a', 't4', 2)], [], ['pods of other namespaces'])
  assert.match(unknown[1] ?? '', /\? of 2/)
  const none = render([gpuNode('a', 't4', 2, { devices: {} })])
  assert.match(none[1] ?? '', /none +whole .* no device plugin$/)
  assert.equal(none.at(-1), 'no pod holds any of them')
})
