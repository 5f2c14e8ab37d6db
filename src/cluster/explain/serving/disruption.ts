import { readTimeMs } from '../event-time.ts'
import type { ServiceRule } from '../sight.ts'

/** The disruption budget allows no eviction even though every pod is well: a node that has one of them can never be drained. */
export const findBlockedDrain: ServiceRule = ({ look: { budget, name }, nowMs }) => {
  const {
    disruptionsAllowed,
    currentHealthy = 0,
    desiredHealthy = 0,
    expectedPods = 0,
    conditions,
  } = budget?.status ?? {}
  if (disruptionsAllowed !== 0 || expectedPods === 0 || currentHealthy < expectedPods) return []
  if (
    budget?.status?.observedGeneration !== undefined &&
    budget.status.observedGeneration !== budget.metadata?.generation
  )
    return []
  const { minAvailable, maxUnavailable } = budget?.spec ?? {}
  const rule = minAvailable === undefined ? `maxUnavailable ${maxUnavailable}` : `minAvailable ${minAvailable}`
  const since = conditions?.find(({ type, status }) => type === 'DisruptionAllowed' && status === 'False')
  return [
    {
      subject: `PodDisruptionBudget ${name}`,
      revision: null,
      reason: 'EvictionBlocked',
      sentence: `none of its pods may be evicted, because its disruption budget (${rule}) wants ${desiredHealthy} of ${expectedPods} available: a drain of their nodes waits for ever`,
      advice: `let one go at a time with \`maxUnavailable: 1\` in the budget, or run at least ${desiredHealthy + 1} \`replicas\``,
      evidence: [
        `disruptionsAllowed 0, healthy ${currentHealthy}, desired ${desiredHealthy}, expected ${expectedPods}`,
      ],
      final: true,
      sinceMs: readTimeMs(since?.lastTransitionTime) ?? nowMs,
      blocks: 'Drain',
    },
  ]
}
