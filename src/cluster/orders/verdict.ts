import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import { type ErrorCode, TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { managers, marks } from '../concerns.ts'

/** Of persons; all others are of a deploy that did not get ready. */
export const byHand = {
  /** While it was on its way. */
  takenBack: 'it was taken back by hand',
  /** After it had served. */
  rolledBack: 'it was rolled back by hand',
} as const

const passedOver: readonly ErrorCode[] = ['TL_CLUSTER_FORBIDDEN', 'TL_CLUSTER_CONFLICT', 'TL_CLUSTER_REFUSED']

/**
 * Why a revision was given up, where a rollback looks for it; null: it has shown that it serves. Writes only where that is news.
 * Whoever may not write it, or finds nothing to write it on, gets the reason: what the verdict is about goes on without it.
 */
export async function writeVerdict(
  client: KubeClient,
  { metadata }: ReplicaSet,
  rejected: string | null,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { name = '', namespace = '', uid = '', annotations } = metadata ?? {}
  if ((annotations?.[marks.rejected] ?? null) === rejected) return undefined
  const mark = rejected === null ? {} : { annotations: { [marks.rejected]: rejected } }
  try {
    await client.apply(
      resources.replicaSets,
      // With the uid, or the verdict on one that is gone would make another.
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name, namespace, uid, ...mark } },
      { fieldManager: managers.verdict, ...(signal === undefined ? {} : { signal }) },
    )
    return undefined
  } catch (error) {
    if (!(error instanceof TowlineError) || !passedOver.includes(error.code)) throw error
    return error.detail
  }
}
