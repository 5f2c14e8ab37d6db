import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fleetCases, gpuFleet } from '../../../test/kit/gpu-fleet.ts'
import {
  cpuNode,
  gpuAsk,
  gpuNode,
  migMixedNode,
  migSingleNode,
  podOf,
  sharedNode,
} from '../../../test/kit/gpu-nodes.ts'
import type { NodeFacts, PodAsk, PodFacts } from './facts.ts'
import { planPlacement } from './plan-placement.ts'
import type { Placement, PlacementQuestion } from './placement.ts'

const gibibyte = 1024 ** 3
const moreNodes = 'add a node (`--expect-nodes` where they are added on demand)'
const own = { namespace: 'ml', service: 'cats', revision: 'new' }

function plan(change: Partial<PlacementQuestion>): Placement {
  const ask = change.ask ?? gpuAsk()
  return planPlacement({ nodes: [], pods: [], quotas: [], own, replicas: 1, surge: 'Auto', ...change, ask })
}

const old = (node: string, number = 1, ask: PodAsk = gpuAsk()): PodFacts =>
  podOf(ask, { name: `cats-${number}`, node, service: 'cats', revision: 'old' })

/** Room by node, as far as there is any. */
const roomsOf = ({ nodes }: Placement): Record<string, number> =>
  Object.fromEntries(nodes.filter(({ room }) => room > 0).map(({ node, room }) => [node, room]))

describe('which node is for whom', () => {
  const nodes = gpuFleet()
  for (const { title, request, rooms, ...change } of fleetCases)
    test(title, () => assert.deepEqual(roomsOf(plan({ nodes, ask: gpuAsk(request, change) })), rooms))

  test('each node says why not, in its own words', () => {
    const said = Object.fromEntries(
      plan({ nodes, ask: gpuAsk({ minMemoryBytes: 16 * gibibyte }, { cudaVersion: '13.0' }) }).nodes.map(
        ({ node, misfit }) => [node, misfit],
      ),
    )
    assert.deepEqual(said, {
      a100: undefined,
      bare: { kind: 'LabelDiffers', label: 'nvidia.com/gpu.memory', wanted: 'over 16383', found: null },
      closed: { kind: 'Cordoned' },
      cloud: undefined,
      cpu: { kind: 'TooSmall', resource: 'nvidia.com/gpu', asked: 1, has: 0, offers: [] },
      dedicated: { kind: 'Tainted', taint: { key: 'dedicated', value: 'research', effect: 'NoSchedule' } },
      h100: { kind: 'LabelDiffers', label: 'nvidia.com/cuda.driver-version.major', wanted: 'over 579', found: '535' },
      mixed: undefined,
      mps: {
        kind: 'LabelDiffers',
        label: 'nvidia.com/gpu.sharing-strategy',
        wanted: 'not time-slicing or mps',
        found: 'mps',
      },
      renamed: { kind: 'TooSmall', resource: 'nvidia.com/gpu', asked: 1, has: 0, offers: ['nvidia.com/gpu.shared'] },
      single: { kind: 'LabelDiffers', label: 'nvidia.com/gpu.memory', wanted: 'over 16383', found: '9728' },
      slicing: {
        kind: 'LabelDiffers',
        label: 'nvidia.com/gpu.sharing-strategy',
        wanted: 'not time-slicing or mps',
        found: 'time-slicing',
      },
      t4: { kind: 'LabelDiffers', label: 'nvidia.com/gpu.memory', wanted: 'over 16383', found: '15360' },
    })
  })

  test('a driver that is too old within its generation is told, because the scheduler does not see it', () => {
    const ask = gpuAsk({}, { cudaVersion: '12.4' })
    const old525 = gpuNode('old', 'a10', 1, { driver: '525.53' })
    const placement = plan({ nodes: [old525, gpuNode('good', 'a10', 1)], ask })
    assert.deepEqual(roomsOf(placement), { good: 1 })
    assert.deepEqual(placement.notes, [
      'the scheduler knows no drivers and may choose old, where CUDA 12.4 cannot start (525.53, needs 525.60.13)',
    ])
  })
})

describe('how new pods come to their places', () => {
  const nodes = [gpuNode('gpu-a', 'a10', 2), gpuNode('gpu-b', 'a10', 1)]
  const full = [old('gpu-a', 1), old('gpu-a', 2), old('gpu-b', 3)]
  const other = podOf(gpuAsk({ count: 1 }), { node: 'gpu-b', name: 'train-42' })

  test('a new service: all of it has to fit', () => {
    assert.equal(plan({ nodes, replicas: 3 }).kind, 'Surge')
    const four = plan({ nodes, replicas: 4 })
    assert.equal(four.kind, 'Impossible')
    assert.deepEqual(four.room, { wanted: 4, now: 3, whenEnded: 3, whenReplaced: 3 })
  })

  test('one free device is enough for a surge, none is enough for a swap', () => {
    assert.equal(plan({ nodes, pods: full.slice(0, 2), replicas: 2 }).kind, 'Surge')
    assert.equal(plan({ nodes, pods: full, replicas: 3 }).kind, 'Swap')
  })

  test('a single replica that has to go first is a recreation, and the answer says so', () => {
    const placement = plan({
      nodes,
      pods: [old('gpu-b'), { ...other, node: 'gpu-a', requests: { 'nvidia.com/gpu': 2 } }],
    })
    assert.equal(placement.kind, 'Recreate')
    assert.match(placement.reason, /nobody answers meanwhile/)
  })

  test('a wish is kept to: what does not fit is refused with the wish that does', () => {
    const surge = plan({ nodes, pods: full, replicas: 3, surge: 'Surge' })
    assert.equal(surge.kind, 'Impossible')
    assert.match(surge.advice ?? '', /`rollout.surge: Swap` fits/)
    assert.equal(plan({ nodes, pods: full.slice(0, 2), replicas: 2, surge: 'Swap' }).kind, 'Swap')
    assert.equal(plan({ nodes, pods: full.slice(0, 2), replicas: 2, surge: 'Recreate' }).kind, 'Recreate')
  })

  test('pods that are ending hold their devices: the answer is to wait', () => {
    const ending = { ...other, isTerminating: true }
    const placement = plan({ nodes: [nodes[1]!], pods: [ending] })
    assert.equal(placement.kind, 'Wait')
    assert.match(placement.reason, /once pods that are ending have left/)
    assert.equal(plan({ nodes: [nodes[1]!], pods: [other] }).kind, 'Impossible')
  })

  test('a node whose devices are shared is told from one whose devices are not', () => {
    const reasonOf = (node: NodeFacts, ask: PodAsk): string => plan({ nodes: [node], ask }).reason
    assert.equal(
      reasonOf(sharedNode('a', 'time-slicing', 4), gpuAsk()),
      'room for 0 of 1: a: its devices are shared (time-slicing)',
    )
    assert.equal(
      reasonOf(gpuNode('a', 'h100', 1), gpuAsk({ sharing: 'Shared' })),
      'room for 0 of 1: a: its devices are not shared, time-slicing or mps wanted',
    )
  })

  test('where nodes are added for pods that wait, no room is a wait', () => {
    assert.equal(plan({ nodes: [nodes[1]!], pods: [other], autoscalerAllowed: true }).kind, 'Wait')
  })

  test('pods that grow: free devices count where they are together, and once an old pod has left', () => {
    const ask = gpuAsk({ count: 2 })
    const two = [gpuNode('gpu-a', 'a10', 2), gpuNode('gpu-b', 'a10', 2)]
    const apart = plan({ nodes: two, pods: [old('gpu-a', 1), old('gpu-b', 2)], replicas: 2, ask })
    assert.deepEqual(apart.room, { wanted: 2, now: 0, whenEnded: 0, whenReplaced: 2 })
    assert.equal(apart.kind, 'Swap')
    // The first new one has a place on gpu-b; the second would wait for both of gpu-a to leave, while one of them has to stay.
    const together = plan({ nodes: two, pods: [old('gpu-a', 1), old('gpu-a', 2)], replicas: 2, ask })
    assert.deepEqual([together.room.now, together.kind], [1, 'Swap'])
  })

  test('old pods on nodes that the new ones may not use hand over nothing, and leave first where luck is bad', () => {
    const ask = gpuAsk({ minMemoryBytes: 20e9 })
    const nodes = [gpuNode('small', 't4', 2), gpuNode('large', 'a10', 2)]
    const pods = [old('small', 1), old('small', 2)]
    assert.equal(plan({ nodes, pods, replicas: 2, ask }).kind, 'Surge')
    const one = plan({ nodes: [nodes[0]!, gpuNode('large', 'a10', 1)], pods, replicas: 2, ask })
    assert.equal(one.kind, 'Impossible')
    assert.deepEqual(one.room, { wanted: 2, now: 1, whenEnded: 1, whenReplaced: 1 })
  })

  test('a rollout that is under way needs no more than what it still lacks', () => {
    const kept = { ...old('gpu-b', 4), revision: 'new' }
    assert.equal(plan({ nodes, pods: [full[0]!, full[1]!, kept], replicas: 2, surge: 'Surge' }).kind, 'Surge')
  })

  test("a pod of a revision that never found a place hands over none and stands in nobody's way", () => {
    const { node: _, ...stuck } = { ...old('', 9), revision: 'broken' }
    assert.equal(plan({ nodes, pods: [...full.slice(0, 2), stuck], replicas: 2 }).kind, 'Surge')
  })

  test('more replicas and a new revision at once: the additional ones have to fit before any old one leaves', () => {
    const nodes = [gpuNode('gpu-a', 'a10', 4)]
    const pods = [old('gpu-a', 1), old('gpu-a', 2)]
    assert.equal(plan({ nodes, pods, replicas: 3 }).kind, 'Surge')
    assert.equal(plan({ nodes, pods, replicas: 4 }).kind, 'Swap')
    assert.equal(plan({ nodes, pods, replicas: 5 }).kind, 'Impossible')
  })

  test('a service without devices is placed by CPU, memory and number of pods', () => {
    const ask: PodAsk = {
      requests: { cpu: 1500, memory: 2 * gibibyte, pods: 1 },
      limits: {},
      nodeSelector: {},
      nodeTerms: [],
      tolerations: [],
      unchecked: [],
    }
    const nodes = [
      cpuNode('cores', { cpuCores: 4, memoryGiB: 64 }),
      cpuNode('bytes', { cpuCores: 64, memoryGiB: 7 }),
      cpuNode('pods', { pods: 2 }),
    ]
    const busy = podOf({ requests: { cpu: 100, pods: 1 }, limits: {} }, { node: 'pods' })
    const placement = plan({ nodes, ask, pods: [busy], replicas: 7 })
    assert.deepEqual(roomsOf(placement), { cores: 2, bytes: 3, pods: 1 })
    assert.equal(placement.kind, 'Impossible')
    assert.match(placement.reason, /^room for 6 of 7: /)
  })
})

describe('quotas', () => {
  const nodes = [gpuNode('gpu-a', 'a10', 8)]
  const quotas = [
    { name: 'gpus', hard: { 'requests.nvidia.com/gpu': 2, pods: 10 }, used: { 'requests.nvidia.com/gpu': 2, pods: 2 } },
  ]
  const pods = [old('gpu-a', 1), old('gpu-a', 2)]

  test('a full quota leaves no surge, and what old pods give back is enough for a swap', () => {
    const placement = plan({ nodes, pods, quotas, replicas: 2 })
    assert.equal(placement.kind, 'Swap')
    assert.match(
      placement.reason,
      /quota gpus allows 2 of requests.nvidia.com\/gpu, 2 in use and 1 wanted for each pod/,
    )
  })

  test('a new service beyond the quota is refused, with the quota to raise', () => {
    const placement = plan({ nodes, quotas, replicas: 1 })
    assert.equal(placement.kind, 'Impossible')
    assert.match(placement.advice ?? '', /have quota `gpus` raised/)
  })

  test('a quota of what a pod says nothing about refuses it: the answer mentions that', () => {
    const { notes } = plan({ nodes, quotas: [{ name: 'cores', hard: { 'limits.cpu': 1000 }, used: {} }] })
    assert.match(notes.join(), /quota cores counts limits.cpu, and these pods say none/)
  })
})

describe('what may not be seen', () => {
  const blind = { nodes: [], unseen: ['nodes'] }

  test('without nodes nothing is known, and no data is not taken for no room', () => {
    const placement = plan({ ...blind, replicas: 3 })
    assert.equal(placement.kind, 'Unknown')
    assert.deepEqual(placement.room, { wanted: 3, now: null, whenEnded: null, whenReplaced: null })
    assert.match(placement.notes.join(), /nodes may not be seen/)
  })

  test('a quota is an answer all the same', () => {
    const quotas = [{ name: 'gpus', hard: { 'requests.nvidia.com/gpu': 2 }, used: { 'requests.nvidia.com/gpu': 2 } }]
    assert.equal(plan({ ...blind, quotas }).kind, 'Impossible')
    assert.equal(plan({ ...blind, quotas, pods: [old('a', 1), old('b', 2)], replicas: 2 }).kind, 'Swap')
  })

  test('a cluster without nodes is another matter', () => {
    const placement = plan({ nodes: [] })
    assert.equal(placement.kind, 'Impossible')
    assert.match(placement.reason, /there is no node/)
  })
})

test('a pod that would not be taken at all has no place, however much room there is', () => {
  const ask = gpuAsk({}, { refusal: 'there is no RuntimeClass `nvidia`' })
  const { kind, reason } = plan({ nodes: [gpuNode('a', 't4', 1)], ask, autoscalerAllowed: true })
  assert.deepEqual({ kind, reason }, { kind: 'Impossible', reason: 'there is no RuntimeClass `nvidia`' })
})

describe('what to do', () => {
  for (const [title, nodes, ask, advice] of [
    [
      'too little memory',
      [gpuNode('a', 't4', 1), gpuNode('b', 'a10', 1)],
      gpuAsk({ minMemoryBytes: 40 * gibibyte }),
      /`gpu.minMemory: 23028Mi`/,
    ],
    [
      'a taint',
      [gpuNode('a', 't4', 1, { taints: [{ key: 'team', value: 'x', effect: 'NoExecute' }] })],
      gpuAsk(),
      /pod.tolerations: \[\{ key: team, operator: Exists, effect: NoExecute \}\]/,
    ],
    ['cordoned', [gpuNode('a', 't4', 1, { isCordoned: true })], gpuAsk(), /kubectl uncordon a/],
    ['not ready', [gpuNode('a', 't4', 1, { isReady: false })], gpuAsk(), /kubectl describe node a/],
    ['shared', [sharedNode('a', 'mps', 4)], gpuAsk(), /`gpu.sharing: Shared`/],
    [
      'shared and renamed',
      [sharedNode('a', 'mps', 4, true)],
      gpuAsk(),
      /resourceName: nvidia.com\/gpu.shared, sharing: Shared/,
    ],
    [
      'slices under the other strategy',
      [migSingleNode('a', '1g.10gb', 9728, 7)],
      gpuAsk({ mig: '1g.10gb' }),
      /MIG strategy single\): `gpu.minMemory` instead of `gpu.mig`/,
    ],
    [
      'other slices',
      [migMixedNode('a', 0, { '2g.20gb': { count: 1, memoryMiB: 19968 } })],
      gpuAsk(),
      /`gpu.mig: 2g.20gb` is there/,
    ],
    [
      'more devices than a node has',
      [gpuNode('a', 't4', 4)],
      gpuAsk({ count: 8 }),
      /at most 4 of nvidia.com\/gpu are on one node; 8 are asked for/,
    ],
    [
      'no labels',
      [cpuNode('a', { devices: { 'nvidia.com/gpu': 1 } })],
      gpuAsk({ minMemoryBytes: gibibyte }),
      /feature discovery/,
    ],
    [
      'driver',
      [gpuNode('a', 't4', 1, { driver: '525.1.1' })],
      gpuAsk({}, { cudaVersion: '12.4' }),
      /update the driver of a to 525.60.13/,
    ],
  ] as const)
    test(title, () => {
      const placement = plan({ nodes, ask })
      assert.equal(placement.kind, 'Impossible')
      assert.match(placement.advice ?? '', advice)
    })

  test('who holds the devices is named, the largest first', () => {
    const nodes = [gpuNode('gpu-a', 'a100', 8)]
    const pods = [3, 4, 1].map((count, index) => podOf(gpuAsk({ count }), { node: 'gpu-a', name: `train-${index}` }))
    const placement = plan({ nodes, pods })
    assert.equal(
      placement.reason,
      'room for 0 of 1: gpu-a: 0 of nvidia.com/gpu free, 1 wanted (ml/train-1 holds 4, ml/train-0 holds 3, 1 others 1)',
    )
    assert.equal(placement.advice, `stop ml/train-1 or wait for its end, or ${moreNodes}`)
  })

  test('fewer replicas are advised where fewer would do, counted with those that stay', () => {
    const nodes = [gpuNode('gpu-a', 'a10', 3)]
    const kept = [1, 2].map((number) => ({ ...old('gpu-a', number), revision: 'new' }))
    assert.equal(plan({ nodes, replicas: 5 }).advice, `ask for 3 replicas, or ${moreNodes}`)
    assert.equal(plan({ nodes, pods: kept, replicas: 5 }).advice, `ask for 3 replicas, or ${moreNodes}`)
    assert.equal(plan({ nodes: [gpuNode('gpu-b', 'a10', 0)], replicas: 5 }).advice?.includes('replica'), undefined)
  })

  test('its own pods are not what a service is to stop', () => {
    const pods = [1, 2, 3].map((number) => old('gpu-a', number))
    const placement = plan({ nodes: [gpuNode('gpu-a', 'a10', 3)], pods, replicas: 4 })
    assert.equal(placement.advice, `ask for 3 replicas, or ${moreNodes}`)
    const busy = podOf({ requests: { cpu: 3000, pods: 1 }, limits: {} }, { node: 'cores', name: 'other' })
    const ask = { ...gpuAsk(), requests: { cpu: 2000, pods: 1 } }
    const cores = plan({ nodes: [cpuNode('cores', { cpuCores: 4 })], pods: [busy], ask })
    assert.equal(cores.advice, `ask for less cpu, or ${moreNodes}`)
  })

  test('no node at all may be what is added on demand, and who expects that is not told to', () => {
    assert.equal(plan({}).advice, moreNodes)
    assert.equal(plan({ autoscalerAllowed: true }).advice, 'add a node')
  })

  test('where nodes may not be seen, what a quota leaves is all that is said', () => {
    const quotas = [{ name: 'gpus', hard: { 'requests.nvidia.com/gpu': 1 }, used: {} }]
    const { reason, advice } = plan({ unseen: ['nodes'], quotas, replicas: 3 })
    assert.match(reason, /^room for 1 of 3: quota gpus allows 1 of /)
    assert.equal(advice, 'ask for 1 replica, or have quota `gpus` raised')
  })

  test('others that wait for the same devices are mentioned', () => {
    const { notes } = plan({ nodes: [gpuNode('gpu-a', 'a10', 1)], pods: [podOf(gpuAsk())] })
    assert.deepEqual(notes, ['1 other pod waits for nvidia.com/gpu too, and may be first'])
  })
})
