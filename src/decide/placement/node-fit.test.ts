import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeSelectorRequirement, Toleration } from 'kubernetes-types/core/v1.js'
import { cpuNode } from '../../../test/kit/gpu-nodes.ts'
import type { PodAsk, Taint } from './facts.ts'
import { findMisfit } from './node-fit.ts'

const ask: PodAsk = {
  requests: { pods: 1 },
  limits: {},
  nodeSelector: {},
  nodeTerms: [],
  tolerations: [],
  unchecked: [],
}
const node = cpuNode('a', { labels: { zone: 'z1', memory: '15360', word: 'big' } })

const fits = (requirement: NodeSelectorRequirement): boolean =>
  findMisfit(node, { ...ask, nodeTerms: [{ matchExpressions: [requirement] }] }) === undefined

test('requirements on labels mean what they mean to Kubernetes', () => {
  for (const [key, operator, values, fit] of [
    ['zone', 'In', ['z0', 'z1'], true],
    ['zone', 'In', ['z2'], false],
    ['none', 'In', ['z2'], false],
    ['zone', 'NotIn', ['z1'], false],
    ['none', 'NotIn', ['z1'], true],
    ['zone', 'Exists', [], true],
    ['none', 'Exists', [], false],
    ['none', 'DoesNotExist', [], true],
    ['zone', 'DoesNotExist', [], false],
    ['memory', 'Gt', ['15359'], true],
    ['memory', 'Gt', ['15360'], false],
    // By number: as words `9` is more than `15360`.
    ['memory', 'Gt', ['9'], true],
    ['memory', 'Lt', ['15361'], true],
    ['memory', 'Lt', ['15360'], false],
    ['word', 'Gt', ['1'], false],
    ['none', 'Gt', ['1'], false],
    ['zone', 'Unheard', ['z1'], false],
  ] as const)
    assert.equal(fits({ key, operator, values: [...values] }), fit, `${key} ${operator} ${values.join()}`)
})

test('alternatives: one is enough, a term that says nothing fits nothing, and a field is the name of the node', () => {
  const term = (key: string) => ({ matchExpressions: [{ key, operator: 'Exists' }] })
  assert.equal(findMisfit(node, { ...ask, nodeTerms: [term('none'), term('zone')] }), undefined)
  assert.notEqual(findMisfit(node, { ...ask, nodeTerms: [{}] }), undefined)
  const byName = (name: string) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] })
  assert.equal(findMisfit(node, { ...ask, nodeTerms: [byName('a')] }), undefined)
  assert.notEqual(findMisfit(node, { ...ask, nodeTerms: [byName('b')] }), undefined)
})

test('of several alternatives the nearest is told, with what each of them would take', () => {
  const over = (key: string, value: string) => ({ key, operator: 'Gt', values: [value] })
  const nodeTerms = [
    { matchExpressions: [over('memory', '99999'), over('none', '1')] },
    { matchExpressions: [over('memory', '20000')] },
  ]
  assert.deepEqual(findMisfit(node, { ...ask, nodeTerms }), {
    kind: 'LabelDiffers',
    label: 'memory',
    wanted: 'over 99999 or over 20000',
    found: '15360',
  })
})

test('a toleration has to be of the key, the effect and the value, as far as it names them', () => {
  const taint: Taint = { key: 'team', value: 'research', effect: 'NoSchedule' }
  for (const [toleration, fit] of [
    [{ key: 'team', operator: 'Exists' }, true],
    [{ key: 'team', operator: 'Exists', effect: 'NoSchedule' }, true],
    [{ key: 'team', operator: 'Exists', effect: 'NoExecute' }, false],
    [{ key: 'team', operator: 'Equal', value: 'research' }, true],
    [{ key: 'team', value: 'research' }, true],
    [{ key: 'team', value: 'other' }, false],
    [{ key: 'team' }, false],
    [{ operator: 'Exists' }, true],
    [{ key: 'other', operator: 'Exists' }, false],
  ] as readonly (readonly [Toleration, boolean])[]) {
    const misfit = findMisfit({ ...node, taints: [taint] }, { ...ask, tolerations: [toleration] })
    assert.equal(misfit === undefined, fit, JSON.stringify(toleration))
  }
})

test('the states of a node are told as such, although they are taints as well', () => {
  const cordoned = {
    ...node,
    isCordoned: true,
    taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
  }
  assert.deepEqual(findMisfit(cordoned, ask), { kind: 'Cordoned' })
  assert.equal(findMisfit(cordoned, { ...ask, tolerations: [{ operator: 'Exists' }] }), undefined)
  const lost = { ...node, isReady: false, taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }] }
  assert.deepEqual(findMisfit(lost, ask), { kind: 'NotReady' })
})
