import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Placement, SurgeWish } from '../../decide/placement/placement.ts'
import type { KubeObject } from '../../kube/object.ts'
import { strategies } from '../../render/deployment.ts'

export type Manner = keyof typeof strategies

/**
 * How pods are to be replaced. `Auto` goes by the room there is, and only where pods are replaced at all: otherwise the strategy of
 * the last time stays, so that the same spec applied again writes nothing. Undefined: as rendered.
 */
export function chooseManner(
  wish: SurgeWish,
  { isReplaced, placement }: { readonly isReplaced: boolean; readonly placement: Placement['kind'] | undefined },
): Manner | 'AsBefore' | undefined {
  if (wish !== 'Auto') return undefined
  if (!isReplaced) return 'AsBefore'
  return placement === 'Swap' || placement === 'Recreate' ? placement : 'Surge'
}

/** The same Deployment with this strategy; other objects as they are. */
export function withManner(object: KubeObject, manner: Manner | 'AsBefore' | undefined, live?: Deployment): KubeObject {
  if (object.kind !== 'Deployment' || manner === undefined) return object
  const strategy = manner === 'AsBefore' ? live?.spec?.strategy : strategies[manner]
  if (strategy === undefined) return object
  return { ...object, spec: { ...(object as Deployment).spec, strategy } } as KubeObject
}

/** A pause that the spec does not have is a person's, and ends with the next deploy: nothing else would let it go. */
export function letGo(object: KubeObject, live?: Deployment): KubeObject {
  if (object.kind !== 'Deployment' || live?.spec?.paused !== true) return object
  const { spec } = object as Deployment
  return { ...object, spec: { paused: false, ...spec } } as KubeObject
}

export function mannerOf({ spec }: Deployment): Manner {
  if (spec?.strategy?.type === 'Recreate') return 'Recreate'
  // A percentage of some replicas or a number: with any surge a new pod comes first.
  const { maxSurge = 1 } = spec?.strategy?.rollingUpdate ?? {}
  return maxSurge === 0 || maxSurge === '0%' ? 'Swap' : 'Surge'
}
