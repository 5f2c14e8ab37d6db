import type { GpuNode, NodeDevices } from '../../cluster/inventory/gpu-nodes.ts'
import { renderTable } from '../term/layout.ts'

/** What the nodes have, and who has it: tables, so that each line stands for itself in a pipe. */
export function renderGpuNodes(nodes: readonly GpuNode[]): string[] {
  const held = nodes.flatMap(({ name, devices }) =>
    devices.flatMap(({ resource, holders }) => holders.map((holder) => ({ node: name, resource, ...holder }))),
  )
  const tainted = nodes.flatMap(({ name, taints }) => taints.filter(keepsAway).map((taint) => [name, taint]))
  return [
    renderTable(
      ['NODE', 'GPU', 'MEMORY', 'FREE', 'KIND', 'DRIVER/CUDA', 'STATE'],
      nodes.flatMap((node) => node.devices.map((devices) => deviceRow(node, devices))),
    ),
    ...(tainted.length === 0 ? [] : ['', renderTable(['TAINTED', 'TAINT'], tainted)]),
    '',
    ...(held.length === 0
      ? ['no pod holds any of them']
      : [
          renderTable(
            ['HELD BY', 'NODE', 'COUNT', 'RESOURCE'],
            held.map(({ namespace, pod, node, count, resource, isTerminating }) => [
              `${namespace}/${pod}${isTerminating ? ' (ending)' : ''}`,
              node,
              String(count),
              resource,
            ]),
          ),
        ]),
  ]
}

function deviceRow(node: GpuNode, devices: NodeDevices): string[] {
  return [
    node.name,
    shortProduct(devices),
    devices.memoryMiB === null ? '-' : showMebibytes(devices.memoryMiB),
    showFree(devices),
    showKind(devices),
    node.driver === null ? '-' : `${node.driver}${node.cuda === null ? '' : `/${node.cuda}`}`,
    showState(node),
  ]
}

/** `NVIDIA-A100-SXM4-80GB-MIG-1g.10gb-SHARED` → `A100-SXM4-80GB`: the rest has columns of its own. */
function shortProduct({ product, resource }: NodeDevices): string {
  return product?.replace(/^(NVIDIA|Tesla)-/, '').replace(/(-MIG-.*|-SHARED)$/, '') ?? resource
}

/** Never more than there is. */
function showMebibytes(mebibytes: number): string {
  return mebibytes < 1024 ? `${mebibytes}Mi` : `${Math.floor((mebibytes * 10) / 1024) / 10}Gi`
}

function showFree({ free, count }: NodeDevices): string {
  return count === 0 ? 'none' : `${free ?? '?'} of ${count}`
}

function showKind({ slice, sharing, replicas }: NodeDevices): string {
  const shared = sharing === 'mps' ? `MPS ×${replicas}` : sharing === 'time-slicing' ? `time-sliced ×${replicas}` : ''
  if (slice === null) return shared === '' ? 'whole' : shared
  return `MIG ${slice}${shared === '' ? '' : `, ${shared}`}`
}

function showState({ isReady, isCordoned, taints, devices }: GpuNode): string {
  const said = [
    ...(isReady ? [] : ['not ready']),
    ...(isCordoned ? ['cordoned'] : []),
    ...(devices.every(({ count }) => count === 0) ? ['no device plugin'] : []),
    ...(taints.some(keepsAway) ? ['tainted'] : []),
  ]
  return said.length === 0 ? 'ready' : said.join(', ')
}

/** Taints of a kind that pods with GPUs tolerate anyhow, and mere preferences, keep nobody away. */
function keepsAway(taint: string): boolean {
  return !taint.startsWith('nvidia.com/gpu') && !taint.endsWith(':PreferNoSchedule')
}
