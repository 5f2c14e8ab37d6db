import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
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

/** Why a revision was given up, where a rollback looks for it; null: it has shown that it serves. Writes only where that is news. */
export async function writeVerdict(
  client: KubeClient,
  { metadata }: ReplicaSet,
  rejected: string | null,
  signal?: AbortSignal,
): Promise<void> {
  const { name = '', namespace = '', uid = '', annotations } = metadata ?? {}
  if ((annotations?.[marks.rejected] ?? null) === rejected) return
  const mark = rejected === null ? {} : { annotations: { [marks.rejected]: rejected } }
  await client.apply(
    resources.replicaSets,
    // With the uid, or the verdict on one that is gone would make another.
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name, namespace, uid, ...mark } },
    { fieldManager: managers.verdict, ...(signal === undefined ? {} : { signal }) },
  )
}
