import type { ErrorCode } from '../../base/errors.ts'
import type { Placement } from '../../decide/placement/placement.ts'
import type { FieldChange } from './field-changes.ts'

/** What a deploy would do. Plain data: what `plan --json` prints. */
export interface DeployPlan {
  readonly context: string
  readonly namespace: string
  readonly name: string
  /** Label `towline.dev/revision`; `from` null: it is not deployed. */
  readonly revision: { readonly from: string | null; readonly to: string }
  /** In the order in which they are written; removed ones last. */
  readonly objects: readonly ObjectChange[]
  /** `Spec`: the number of the spec is set; `Kept`: that of a person or an autoscaler stays. */
  readonly replicas: { readonly from: number | null; readonly to: number; readonly by: 'Spec' | 'Kept' }
  /** Null: no pod is replaced. */
  readonly pods: PodChange | null
  /** Null: no pod needs a place. */
  readonly placement: Pick<Placement, 'kind' | 'reason' | 'advice' | 'room' | 'quota' | 'notes'> | null
  /** What this cluster cannot honour, and what to do. */
  readonly warnings: readonly string[]
  /** Why it would not be done. All there are, not the first one. */
  readonly refusals: readonly Refusal[]
}

export interface ObjectChange {
  readonly kind: string
  readonly name: string
  readonly action: 'New' | 'Changed' | 'Same' | 'Removed'
  /** Of changed ones. */
  readonly fields: readonly FieldChange[]
}

export interface PodChange {
  /** So many are there and are replaced. */
  readonly replaced: number
  readonly manner: 'Surge' | 'Swap' | 'Recreate'
  /** Paths inside the pod, such as `containers[server].image`. */
  readonly because: readonly string[]
  /** `spec.paused`: not before it is false. */
  readonly isPaused: boolean
}

export interface Refusal {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint?: string
}
