import type { NodeSelectorRequirement, NodeSelectorTerm, Toleration } from 'kubernetes-types/core/v1.js'
import { checkDriver } from '../../compat/cuda.ts'
import type { NodeFacts, PodAsk, Taint } from './facts.ts'
import { gpuLabels } from './gpu-pod-parts.ts'
import { keepsAway, meets } from './node-rules.ts'

/** Why no pod of this kind can be on this node, however empty it is. */
export type Misfit =
  | { readonly kind: 'NotReady' }
  | { readonly kind: 'Cordoned' }
  | { readonly kind: 'Tainted'; readonly taint: Taint }
  /** `wanted` in words: `over 16383`, `8 or over 8`. `found` is null where there is no such label. */
  | { readonly kind: 'LabelDiffers'; readonly label: string; readonly wanted: string; readonly found: string | null }
  /** `has` is 0 where the node has nothing of it; `offers` are the devices that it has instead. */
  | {
      readonly kind: 'TooSmall'
      readonly resource: string
      readonly asked: number
      readonly has: number
      readonly offers: readonly string[]
    }
  /** Below `floor`. The scheduler does not look at this. */
  | { readonly kind: 'DriverTooOld'; readonly driver: string; readonly floor: string; readonly cudaVersion: string }

/** Undefined: it fits an empty node of this kind. What is said first is what would have to change first. */
export function findMisfit(node: NodeFacts, ask: PodAsk): Misfit | undefined {
  return (
    findTooSmall(node, ask, isExtended) ??
    findLabelMisfit(node, ask) ??
    findTooSmall(node, ask, () => true) ??
    findDriverMisfit(node, ask) ??
    findTaint(node, ask.tolerations) ??
    (node.isReady ? undefined : { kind: 'NotReady' }) ??
    (isClosed(node, ask.tolerations) ? { kind: 'Cordoned' } : undefined)
  )
}

export function isExtended(resource: string): boolean {
  return resource.includes('/')
}

function findTooSmall(node: NodeFacts, { requests }: PodAsk, counts: (name: string) => boolean): Misfit | undefined {
  for (const [resource, asked] of Object.entries(requests)) {
    const has = node.allocatable[resource] ?? 0
    if (asked <= has || !counts(resource)) continue
    const offers = Object.entries(node.allocatable)
      .filter(([name, count]) => name !== resource && isExtended(name) && count > 0)
      .map(([name]) => name)
      .toSorted()
    return { kind: 'TooSmall', resource, asked, has, offers }
  }
  return undefined
}

function findLabelMisfit(node: NodeFacts, { nodeSelector, nodeTerms }: PodAsk): Misfit | undefined {
  for (const [label, wanted] of Object.entries(nodeSelector))
    if (node.labels[label] !== wanted) return { kind: 'LabelDiffers', label, wanted, found: node.labels[label] ?? null }
  if (nodeTerms.length === 0) return undefined
  const failures = nodeTerms.map((term) => findFailures(node, term))
  if (failures.some(({ length }) => length === 0)) return undefined
  // The alternative that is nearest; all alternatives have a say in what this label would have to be.
  const [failure] = failures.toSorted((a, b) => a.length - b.length)[0] ?? []
  if (failure === undefined) return undefined
  const label = failure.key
  const wishes = nodeTerms.flatMap((term) => requirementsOf(term).filter(({ key }) => key === label)).map(describeWish)
  return {
    kind: 'LabelDiffers',
    label,
    wanted: [...new Set(wishes)].join(' or '),
    found: labelsOf(node)[label] ?? null,
  }
}

/** A field of the node, as `matchFields` names it, beside its labels. No label has this name. */
const nameField = 'metadata.name'

function labelsOf(node: NodeFacts): Readonly<Record<string, string>> {
  return { ...node.labels, [nameField]: node.name }
}

function requirementsOf({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): NodeSelectorRequirement[] {
  return [...matchExpressions, ...matchFields]
}

function findFailures(node: NodeFacts, term: NodeSelectorTerm): NodeSelectorRequirement[] {
  const requirements = requirementsOf(term)
  // As Kubernetes has it: a term that says nothing fits nothing.
  if (requirements.length === 0) return [{ key: nameField, operator: 'DoesNotExist' }]
  const labels = labelsOf(node)
  return requirements.filter((requirement) => !meets(labels[requirement.key], requirement))
}

function describeWish({ operator, values = [] }: NodeSelectorRequirement): string {
  const list = values.join(' or ')
  const words: Record<string, string> = {
    In: list,
    NotIn: `not ${list}`,
    Exists: 'any value',
    DoesNotExist: 'none',
    Gt: `over ${list}`,
    Lt: `under ${list}`,
  }
  return words[operator] ?? `${operator} ${list}`
}

function findDriverMisfit(node: NodeFacts, { cudaVersion }: PodAsk): Misfit | undefined {
  const driver = node.labels[gpuLabels.driver]
  if (cudaVersion === undefined || driver === undefined) return undefined
  const check = checkDriver(cudaVersion, driver)
  return check.kind === 'TooOld' ? { kind: 'DriverTooOld', driver, floor: check.driver, cudaVersion } : undefined
}

const cordonTaint: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
/** The taints of a node's own state are told as that state. */
const stateTaints = [cordonTaint.key, 'node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

function findTaint(node: NodeFacts, tolerations: readonly Toleration[]): Misfit | undefined {
  const taint = node.taints.find((each) => keepsAway(each, tolerations) && !stateTaints.includes(each.key))
  return taint === undefined ? undefined : { kind: 'Tainted', taint }
}

function isClosed(node: NodeFacts, tolerations: readonly Toleration[]): boolean {
  return node.isCordoned && keepsAway(cordonTaint, tolerations)
}
