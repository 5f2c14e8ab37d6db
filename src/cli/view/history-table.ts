import { formatDigest, formatMs } from '../../base/display.ts'
import type { HistoryStatus } from '../../control/api.ts'
import { renderTable } from '../term/layout.ts'

/** What can be gone back to, and what has been tried; newest first in both. */
export function renderHistory({ revisions, rollouts }: HistoryStatus, nowMs: number): string {
  const ago = (atMs: number): string => `${formatMs(Math.max(0, nowMs - atMs))} ago`
  const kept = revisions
    .toReversed()
    .map(({ number, role, modelDigest, createdAtMs, proven, replicas }) => [
      String(number),
      role,
      shorten(modelDigest),
      ago(createdAtMs),
      String(replicas),
      proven ? 'yes' : 'no',
    ])
  const tried = rollouts
    .toReversed()
    .map(({ from, to, kind, outcome, endedAtMs, startedAtMs, cause }) => [
      `${from} → ${to}`,
      kind,
      outcome,
      ago(endedAtMs),
      formatMs(endedAtMs - startedAtMs),
      cause === null ? '' : `${cause.reason}: ${cause.message}`,
    ])
  const table = renderTable(['REVISION', 'ROLE', 'MODEL', 'MADE', 'REPLICAS', 'HAS SERVED'], kept)
  if (tried.length === 0) return `${table}\n\nno rollout has ended yet`
  return `${table}\n\n${renderTable(['ROLLOUT', 'KIND', 'OUTCOME', 'ENDED', 'TOOK', 'WHY'], tried)}`
}

function shorten(digest: string): string {
  return formatDigest(digest, 12)
}
