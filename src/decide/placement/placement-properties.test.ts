import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cpuNode } from '../../../test/kit/gpu-nodes.ts'
import type { Amounts, NodeFacts, PodAsk, PodFacts } from './facts.ts'
import { planPlacement } from './plan-placement.ts'
import type { PlacementQuestion } from './placement.ts'

const gpu = 'nvidia.com/gpu'
const own = { namespace: 'ml', service: 'cats', revision: 'new' }

const amounts = fc.record({ cpu: fc.integer({ min: 0, max: 2 }), gpus: fc.integer({ min: 0, max: 2 }) })
const toRequests = ({ cpu, gpus }: { readonly cpu: number; readonly gpus: number }): Amounts => ({
  cpu: cpu * 500,
  pods: 1,
  ...(gpus === 0 ? {} : { [gpu]: gpus }),
})

/** A small cluster in which a service of up to six pods runs beside others, all of them on nodes that hold them. */
const world = fc
  .record({
    nodes: fc.array(
      fc.record({ cores: fc.integer({ min: 0, max: 6 }), gpus: fc.integer({ min: 0, max: 5 }), isOpen: fc.boolean() }),
      {
        maxLength: 5,
      },
    ),
    pods: fc.array(
      fc.record({
        node: fc.nat({ max: 4 }),
        amounts,
        isOwn: fc.constantFrom(true, true, true, false),
        isNew: fc.constantFrom(false, false, false, true),
        isTerminating: fc.constantFrom(false, false, false, true),
      }),
      { maxLength: 10 },
    ),
    ask: amounts,
    more: fc.integer({ min: -1, max: 2 }),
    quota: fc.option(fc.integer({ min: 0, max: 12 })),
    surge: fc.constantFrom('Auto', 'Surge', 'Swap', 'Recreate'),
  })
  .map(({ nodes, pods, ask, more, quota, surge }): PlacementQuestion => {
    const facts: NodeFacts[] = nodes.map(({ cores, gpus, isOpen }, index) =>
      cpuNode(`node-${index}`, { cpuCores: cores, pods: 8, devices: { [gpu]: gpus }, isCordoned: !isOpen }),
    )
    const placed: PodFacts[] = []
    for (const [index, pod] of pods.entries()) {
      const node = facts[pod.node]
      const requests = toRequests(pod.amounts)
      if (node === undefined || !fits(node, placed, requests)) continue
      placed.push({
        namespace: 'ml',
        name: `pod-${index}`,
        node: node.name,
        requests,
        limits: {},
        isTerminating: pod.isTerminating,
        ...(pod.isOwn ? { service: 'cats', revision: pod.isNew ? 'new' : 'old' } : {}),
      })
    }
    const requests = toRequests(ask)
    const running = placed.filter(({ service, isTerminating }) => service !== undefined && !isTerminating).length
    const replicas = Math.max(0, running + more)
    const podAsk: PodAsk = { requests, limits: {}, nodeSelector: {}, nodeTerms: [], tolerations: [], unchecked: [] }
    const quotas = quota === null ? [] : [{ name: 'gpus', hard: { [`requests.${gpu}`]: quota }, used: {} }]
    return { nodes: facts, pods: placed, ask: podAsk, own, replicas, surge, quotas }
  })

function fits({ name, allocatable }: NodeFacts, pods: readonly PodFacts[], requests: Amounts): boolean {
  const here = pods.filter(({ node }) => node === name)
  return Object.entries(requests).every(
    ([resource, amount]) =>
      here.reduce((sum, pod) => sum + (pod.requests[resource] ?? 0), amount) <= (allocatable[resource] ?? 0),
  )
}

/** As a scheduler and an admission would: the first open node, at random, that has all of it left. */
function place(
  { nodes, quotas, ask }: PlacementQuestion,
  pods: readonly PodFacts[],
  pick: (count: number) => number,
): PodFacts | undefined {
  const [quota] = quotas
  const held = pods.reduce((sum, pod) => sum + (pod.requests[gpu] ?? 0), ask.requests[gpu] ?? 0)
  if (quota !== undefined && (ask.requests[gpu] ?? 0) > 0 && held > (quota.hard[`requests.${gpu}`] ?? 0))
    return undefined
  const open = nodes.filter((node) => !node.isCordoned && fits(node, pods, ask.requests))
  const node = open[pick(open.length)]
  if (node === undefined) return undefined
  return {
    namespace: 'ml',
    name: `new-${pods.length}-${node.name}`,
    node: node.name,
    requests: ask.requests,
    limits: {},
    isTerminating: false,
    service: 'cats',
    revision: 'new',
  }
}

test('it counts as many places as pods find one after another, wherever they go', () => {
  fc.assert(
    fc.property(world, fc.infiniteStream(fc.nat()), (question, numbers) => {
      const pods = [...question.pods]
      const pick = (count: number): number => numbers.next().value % Math.max(1, count)
      let found = 0
      // A pod that asks for nothing but to be one is limited by the number of pods.
      for (let pod = place(question, pods, pick); pod !== undefined; pod = place(question, pods, pick)) {
        pods.push({ ...pod, name: `more-${found}` })
        found++
      }
      assert.equal(planPlacement(question).room.now, found)
    }),
    { numRuns: 300 },
  )
})

test('what it promises goes through, whichever old pod leaves first and wherever new ones go', () => {
  let promised = 0
  fc.assert(
    fc.property(world, fc.infiniteStream(fc.nat()), (question, numbers) => {
      const { kind } = planPlacement(question)
      if (kind === 'Wait' || kind === 'Impossible' || kind === 'Unknown') return
      promised++
      assert.equal(
        rollOut(question, kind, (count) => numbers.next().value % Math.max(1, count)),
        'done',
        kind,
      )
    }),
    { numRuns: 2000 },
  )
  assert.ok(promised > 100, `${promised} promises were put to the test`)
})

test('the fewer replicas that it advises have room, and one more has none', () => {
  let advised = 0
  fc.assert(
    fc.property(world, (question) => {
      const hasRoom = (replicas: number): boolean =>
        !['Impossible', 'Wait'].includes(planPlacement({ ...question, replicas }).kind)
      const { kind, advice = '' } = planPlacement(question)
      const said = /ask for (\d+) replica/.exec(advice)?.[1]
      if (kind !== 'Impossible' || said === undefined) return
      advised++
      const fewer = Number(said)
      assert.ok(hasRoom(fewer) && !hasRoom(fewer + 1), advice)
    }),
    { numRuns: 2000 },
  )
  assert.ok(advised > 50, `${advised} advices were put to the test`)
})

/** A Deployment's way, with the settings that belong to `kind`. Pods are ready at once; ending pods of others stay. */
function rollOut(
  question: PlacementQuestion,
  kind: 'Surge' | 'Swap' | 'Recreate',
  pick: (count: number) => number,
): string {
  const { replicas, pods } = question
  const others = pods.filter((pod) => pod.service === undefined || pod.isTerminating)
  const mine = pods.filter((pod) => pod.service !== undefined && !pod.isTerminating)
  let old = mine.filter(({ revision }) => revision === 'old')
  const fresh = mine.filter(({ revision }) => revision === 'new')
  if (kind === 'Recreate') old = []
  const most = kind === 'Surge' ? replicas + 1 : replicas
  const fewest = kind === 'Swap' ? replicas - 1 : replicas
  for (;;) {
    if (fresh.length >= replicas && (old.length === 0 || fresh.length + old.length > fewest)) {
      if (old.length === 0) return 'done'
    }
    const pod =
      fresh.length < replicas && fresh.length + old.length < most
        ? place(question, [...others, ...old, ...fresh], pick)
        : undefined
    if (pod !== undefined) {
      fresh.push(pod)
      continue
    }
    if (old.length === 0 || fresh.length + old.length <= fewest)
      return `stuck: ${fresh.length} new, ${old.length} old of ${replicas}`
    old = old.toSpliced(pick(old.length), 1)
  }
}

test('one node more, or one pod of others less, never makes it worse', () => {
  fc.assert(
    fc.property(world, fc.nat(), (question, number) => {
      const before = planPlacement(question).room
      const larger = [...question.nodes, cpuNode('one-more', { cpuCores: 2, devices: { [gpu]: 2 } })]
      const others = question.pods.filter(({ service }) => service === undefined)
      const gone = others[number % Math.max(1, others.length)]
      for (const after of [
        planPlacement({ ...question, nodes: larger }),
        planPlacement({ ...question, pods: question.pods.filter((pod) => pod !== gone) }),
      ]) {
        assert.ok(Number(after.room.now) >= Number(before.now))
        assert.ok(Number(after.room.whenReplaced) >= Number(before.whenReplaced))
        assert.ok(
          rank(after.kind) >= rank(planPlacement(question).kind),
          `${planPlacement(question).kind} → ${after.kind}`,
        )
      }
    }),
    { numRuns: 300 },
  )
})

function rank(kind: string): number {
  return ['Impossible', 'Wait', 'Recreate', 'Swap', 'Surge'].indexOf(kind)
}

test('the answer is the same in whatever order nodes and pods are listed', () => {
  fc.assert(
    fc.property(world, (question) => {
      const turned = { ...question, nodes: question.nodes.toReversed(), pods: question.pods.toReversed() }
      assert.deepEqual(planPlacement(turned), planPlacement(question))
    }),
    { numRuns: 200 },
  )
})
