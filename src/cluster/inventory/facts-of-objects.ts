import type { Node, Pod, ResourceQuota } from 'kubernetes-types/core/v1.js'
import type { NodeFacts, PodFacts, QuotaFacts } from '../../decide/placement/facts.ts'
import { keys } from '../../render/names.ts'
import { amountsOfPod, toAmounts } from './pod-requests.ts'

export function factsOfNode({ metadata, spec, status }: Node): NodeFacts {
  return {
    name: metadata?.name ?? '',
    labels: metadata?.labels ?? {},
    taints: (spec?.taints ?? []).map(({ key, value, effect }) => ({
      key,
      effect,
      ...(value === undefined ? {} : { value }),
    })),
    isReady: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    isCordoned: spec?.unschedulable ?? false,
    allocatable: toAmounts(status?.allocatable),
  }
}

/** Undefined: it has ended, and holds nothing. A pod that others are put aside for holds its place already. */
export function factsOfPod({ metadata, spec, status }: Pod): PodFacts | undefined {
  if (spec === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined
  const node = spec.nodeName ?? status?.nominatedNodeName
  const service = metadata?.labels?.[keys.service]
  const revision = metadata?.labels?.[keys.revision]
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    ...(node === undefined || node === '' ? {} : { node }),
    ...amountsOfPod(spec),
    isTerminating: metadata?.deletionTimestamp !== undefined,
    ...(service === undefined ? {} : { service }),
    ...(revision === undefined ? {} : { revision }),
  }
}

/** Undefined: it counts some pods only (by scope), and which ones is not looked at. */
export function factsOfQuota({ metadata, spec, status }: ResourceQuota): QuotaFacts | undefined {
  if ((spec?.scopes ?? []).length > 0 || spec?.scopeSelector !== undefined) return undefined
  return {
    name: metadata?.name ?? '',
    hard: toAmounts(status?.hard ?? spec?.hard),
    used: toAmounts(status?.used),
  }
}
