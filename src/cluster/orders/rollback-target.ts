import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { canonicalJson } from '../../base/canonical.ts'
import { TowlineError } from '../../base/errors.ts'
import { marks } from '../concerns.ts'
import { type ClusterRevision, findTurn, listRevisions } from '../revisions.ts'

export interface RollbackLook {
  readonly deployment: Deployment
  /** Its own. */
  readonly replicaSets: readonly ReplicaSet[]
}

export interface RollbackWish {
  /** The revision that served when it was asked; absent: whichever does. */
  readonly from?: number | undefined
  /** Number of the Deployment's; absent: the last one before that was not given up. */
  readonly to?: number | undefined
}

export interface RollbackTarget {
  /** Number of the revision that is left; one that has no ReplicaSet yet would get this one. */
  readonly from: number
  readonly target: ClusterRevision
  /** The revision that is left; null: it has no ReplicaSet yet. */
  readonly left: ClusterRevision | null
  /** A change is on its way. */
  readonly isGoingOn: boolean
  /** Why there is nothing to do: it is so, or about to be. Null: it is to be done. */
  readonly nothing: string | null
}

/** Of a ReplicaSet that came back: the numbers that it had before. */
const earlierNumbersKey = 'deployment.kubernetes.io/revision-history'

/** Pure. While a change goes on, the way back is to the one that serves. TL_ROLLOUT_REFUSED where there is none. */
export function chooseTarget(look: RollbackLook, { from: asked, to }: RollbackWish = {}): RollbackTarget {
  const { metadata, spec } = look.deployment
  const name = metadata?.name ?? ''
  if (spec?.paused === true)
    throw refuse(
      `${name} is paused, and pods are not replaced meanwhile`,
      'deploy the spec to go back to with `paused: false`',
    )
  const revisions = listRevisions(look)
  const newest = revisions.at(-1)
  if (newest === undefined) throw refuse(`${name} has no revision yet`, 'deploy a spec that works')
  const keeps = `it keeps ${revisions.map(({ number, rejected }) => `${number}${rejected === null ? '' : ' (given up)'}`).join(', ')}`
  const present = findPresent(look, revisions)
  const from = present?.number ?? newest.number + 1
  const left = present ?? null
  const { stable, candidate } = findTurn(look)
  const isGoingOn = candidate !== null || present !== newest

  if (to !== undefined) {
    const target = revisions.find(({ number }) => number === to)
    if (target === undefined) throw refuse(`${name} has no revision ${to}`, keeps)
    if (target !== present) return { from, left, isGoingOn, target, nothing: null }
    const how = isGoingOn ? `it is on its way to revision ${to}` : `revision ${to} serves already`
    return { from, left, isGoingOn, target, nothing: how }
  }
  if (isGoingOn) {
    // Said twice: the second time must not turn round what the first one began.
    if (present !== undefined && isComingBack(present, newest, stable))
      return { from, left, isGoingOn, target: present, nothing: `it is on its way back to revision ${present.number}` }
    if (stable !== null && stable.rejected === null) return { from, left, isGoingOn, target: stable, nothing: null }
  } else if (asked !== undefined && asked !== from) {
    return { from, left, isGoingOn, target: newest, nothing: `revision ${from} serves already` }
  }
  const target = revisions.findLast(
    (each) => each.number < from && each.rejected === null && !isSameSpec(each, look.deployment),
  )
  if (target === undefined)
    throw refuse(
      `${name} has no earlier revision that served`,
      revisions.length > 1 ? `${keeps}; name one to go there all the same` : 'deploy a spec that works',
    )
  return { from, left, isGoingOn, target, nothing: null }
}

/** The same but for when it was restarted: going there replaces no pod. */
export function isSameSpec({ replicaSet }: ClusterRevision, { spec }: Deployment): boolean {
  return canonicalJson(templateOf(replicaSet.spec?.template)) === canonicalJson(templateOf(spec?.template))
}

/** What the spec's own manager says of pods. When they were restarted last is another manager's word. */
export function templateOf(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { labels, annotations, ...rest } = withoutHash(template)
  const { [marks.restartedAt]: _, ...own } = annotations
  return { ...rest, metadata: { labels, annotations: own } }
}

/** As the Deployment's controller compares them. Undefined: it has not made one for this template yet. */
function findPresent(
  { deployment: { metadata, spec, status } }: RollbackLook,
  revisions: readonly ClusterRevision[],
): ClusterRevision | undefined {
  const wanted = canonicalJson(withoutHash(spec?.template))
  const found = revisions.findLast(({ replicaSet }) => canonicalJson(withoutHash(replicaSet.spec?.template)) === wanted)
  const isSeen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0)
  return found ?? (isSeen ? revisions.at(-1) : undefined)
}

function withoutHash({ metadata = {}, ...rest }: PodTemplateSpec = {}) {
  const { 'pod-template-hash': _, ...labels } = metadata.labels ?? {}
  return { ...rest, labels, annotations: metadata.annotations ?? {} }
}

/** It was there before, and takes the place of one that was given up. */
function isComingBack(
  { number, rejected, replicaSet }: ClusterRevision,
  newest: ClusterRevision,
  stable: ClusterRevision | null,
): boolean {
  const hasHistory = replicaSet.metadata?.annotations?.[earlierNumbersKey] !== undefined
  const takesPlaceOfGiven = hasHistory && stable !== null && stable.rejected !== null
  return rejected === null && (takesPlaceOfGiven || number < newest.number)
}

export function refuse(detail: string, hint: string): TowlineError {
  return new TowlineError('TL_ROLLOUT_REFUSED', detail, { hint })
}
