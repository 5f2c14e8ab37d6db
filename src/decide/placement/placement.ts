import type { NodeFacts, PodAsk, PodFacts, QuotaFacts } from './facts.ts'
import type { NodeVerdict, QuotaVerdict } from './room.ts'

export type SurgeWish = 'Auto' | 'Surge' | 'Swap' | 'Recreate'

export interface PlacementQuestion {
  readonly nodes: readonly NodeFacts[]
  /** Of all namespaces. */
  readonly pods: readonly PodFacts[]
  /** Of the namespace. */
  readonly quotas: readonly QuotaFacts[]
  readonly ask: PodAsk
  /** Pods of this service with this revision stay, its others are replaced. */
  readonly own: { readonly namespace: string; readonly service: string; readonly revision: string }
  readonly replicas: number
  readonly surge: SurgeWish
  /** What may not be seen, such as `nodes`: without nodes nothing is known of room, without pods of others there may be less. */
  readonly unseen?: readonly string[]
  /** Somebody adds nodes for pods that wait. Default: false. */
  readonly autoscalerAllowed?: boolean
}

/** How the new pods come to their places. */
export interface Placement {
  /**
   * `Surge`: each starts before an old one stops, or there is no old one. `Swap`: an old one stops first, one at a time. `Recreate`: all
   * old ones stop first, and nobody answers meanwhile. `Wait`: there will be room. `Impossible`: nothing says that there will be.
   * `Unknown`: nodes may not be seen, and nothing else stands against it.
   */
  readonly kind: 'Surge' | 'Swap' | 'Recreate' | 'Wait' | 'Impossible' | 'Unknown'
  /** A clause with the figures, without a full stop. */
  readonly reason: string
  /** What to do; with `Wait` and `Impossible`, where something can be said. */
  readonly advice?: string
  readonly room: PlacementRoom
  readonly nodes: readonly NodeVerdict[]
  /** The quota that runs out first, where one limits such a pod. */
  readonly quota?: QuotaVerdict
  /** What this answer does not know. */
  readonly notes: readonly string[]
}

/** Null: nodes may not be seen, and no quota says. */
export interface PlacementRoom {
  /** Pods that still need a place. */
  readonly wanted: number
  /** Of them so many have one now, one after another … */
  readonly now: number | null
  /** … once the pods that are ending have left … */
  readonly whenEnded: number | null
  /** … and once the pods that are to be replaced have left. */
  readonly whenReplaced: number | null
}

/** The same as numbers to count with: infinite where nothing limits. */
export interface SeenRoom {
  readonly wanted: number
  readonly now: number
  readonly whenEnded: number
  readonly whenReplaced: number
}
