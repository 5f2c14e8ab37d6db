import type { RevisionRecord, ServiceRecord } from './records.ts'

/** The revisions that are still worth knowing: what serves or is about to, what runs, what waits for a retry, and the history. */
export function forgetRevisions(record: ServiceRecord, running: ReadonlySet<number>): readonly RevisionRecord[] {
  const { revisions, stable, target, rejected, warm, applied } = record
  const needed = new Set([stable, target, ...running, ...warm.map(({ revision }) => revision)])
  if (rejected !== null) needed.add(rejected.revision)
  const earlier = revisions
    .filter(({ number, proven }) => proven && number !== stable)
    .toSorted((a, b) => b.number - a.number)
    .slice(0, applied.rollout.revisionHistoryLimit)
  for (const { number } of earlier) needed.add(number)
  return revisions.filter(({ number }) => needed.has(number))
}
