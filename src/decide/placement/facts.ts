import type { NodeSelectorTerm, Toleration } from 'kubernetes-types/core/v1.js'

/**
 * Amounts under the names of Kubernetes: `cpu` in thousandths of a core, everything else in whole units (bytes, devices, pods).
 * What is not there is none.
 */
export type Amounts = Readonly<Record<string, number>>

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}

export interface NodeFacts {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly isReady: boolean
  readonly isCordoned: boolean
  /** What pods may have in all; what the system keeps for itself is taken off already. */
  readonly allocatable: Amounts
}

/** A pod that has not ended. */
export interface PodFacts {
  readonly namespace: string
  readonly name: string
  /** Where it holds what it requests, also while it ends; absent: it waits for a place. */
  readonly node?: string
  /** With `pods: 1`. */
  readonly requests: Amounts
  readonly limits: Amounts
  readonly isTerminating: boolean
  /** Of Towline: label `towline.dev/service`, and `towline.dev/revision`. */
  readonly service?: string
  readonly revision?: string
}

/** Of the namespace. Names as in the quota: `requests.nvidia.com/gpu`, `limits.cpu`, `pods`. */
export interface QuotaFacts {
  readonly name: string
  readonly hard: Amounts
  readonly used: Amounts
}

/** What one pod asks of the place where it runs. */
export interface PodAsk {
  /** With `pods: 1`. */
  readonly requests: Amounts
  readonly limits: Amounts
  readonly nodeSelector: Readonly<Record<string, string>>
  /** One of them has to fit; none: any node. */
  readonly nodeTerms: readonly NodeSelectorTerm[]
  readonly tolerations: readonly Toleration[]
  /** Why the API server would not take such a pod at all; absent: nothing is known against it. */
  readonly refusal?: string
  /** What the scheduler looks at and nothing here does, such as `podAntiAffinity`. */
  readonly unchecked: readonly string[]
  /** Of the image, as `12.4`; absent: it brings none, or nobody said. */
  readonly cudaVersion?: string
}
