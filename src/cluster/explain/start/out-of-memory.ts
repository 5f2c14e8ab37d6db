import type { PodRule } from '../sight.ts'
import { suggestMemory } from '../wording.ts'
import { hasRecovered, isSettled, readEnding } from './ending.ts'

/** The kernel ended a container because it wanted more memory than its limit. */
export const findOutOfMemory: PodRule = (pod, { nowMs }) => {
  for (const container of pod.containers) {
    const ending = readEnding(container)
    if (ending?.reason !== 'OOMKilled' || hasRecovered(container)) continue
    const limit = container.spec.resources?.limits?.['memory']
    const more = limit === undefined ? undefined : suggestMemory(limit)
    return {
      reason: 'OutOfMemory',
      sentence:
        limit === undefined
          ? `it was killed because the node ran out of memory (exit code ${ending.exitCode})`
          : `it was killed because it wanted more memory than its limit of ${limit} (exit code ${ending.exitCode})`,
      advice:
        limit === undefined
          ? 'set `resources.memory`, so that the pod goes where there is enough'
          : `raise \`resources.memory\` (${limit} now)${more === undefined ? '' : `, for instance to ${more}`}`,
      evidence: [`${ending.reason}, exit code ${ending.exitCode}, ${ending.restarts} restarts`],
      final: isSettled(ending),
      sinceMs: ending.atMs ?? nowMs,
      blocks: 'Rollout',
    }
  }
  return undefined
}
