import type { Told } from '../cause.ts'
import type { Node, Pod, Taint } from 'kubernetes-types/core/v1.js'
import { listNames } from '../wording.ts'
import { listUntolerated } from './node-match.ts'

/** Taints that the cluster itself puts on nodes, and what they mean. To tolerate them would be the wrong way out. */
const ownTaints: Readonly<Record<string, { readonly state: string; readonly advice: (node: string) => string }>> = {
  'node.kubernetes.io/unschedulable': {
    state: 'closed to new pods (cordoned)',
    advice: (node) => `open it again with \`kubectl uncordon ${node}\` when its maintenance is over`,
  },
  'node.kubernetes.io/not-ready': { state: 'not ready', advice: adviseNode },
  'node.kubernetes.io/unreachable': { state: 'not reachable', advice: adviseNode },
  'node.kubernetes.io/memory-pressure': { state: 'short of memory', advice: adviseNode },
  'node.kubernetes.io/disk-pressure': { state: 'short of disk', advice: adviseNode },
  'node.cloudprovider.kubernetes.io/uninitialized': { state: 'still being set up', advice: adviseNode },
}

/** Every node that could take a pod is kept free by a taint. */
export function tellTaint(pod: Pod, nodes: readonly Node[]): Told {
  const names = nodes.map(({ metadata }) => metadata?.name ?? '')
  const [first] = nodes
  const taints = first === undefined ? [] : listUntolerated(pod, first)
  const who = names.length === 1 ? `the only node that fits, ${names[0]},` : `each node that fits (${listNames(names)})`
  const own = taints.map(({ key }) => ownTaints[key]).find((meaning) => meaning !== undefined)
  if (own !== undefined)
    return {
      reason: 'NodesUnavailable',
      sentence: `${who} is ${own.state}`,
      advice: own.advice(names[0] ?? ''),
      // Nodes come back.
      final: false,
    }
  return {
    reason: 'Tainted',
    sentence: `${who} is kept free by the taint ${taints.map(renderTaint).join(' and ')}`,
    advice: `add to \`pod.tolerations\`: ${taints.map(renderToleration).join(', ')}`,
  }
}

function renderTaint({ key, value, effect }: Taint): string {
  return `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`
}

function renderToleration({ key, value, effect }: Taint): string {
  const how = value === undefined || value === '' ? 'operator: Exists' : `value: ${JSON.stringify(value)}`
  return `{ key: ${key}, ${how}, effect: ${effect} }`
}

function adviseNode(node: string): string {
  return `see with \`kubectl describe node ${node}\` what is wrong with it`
}
