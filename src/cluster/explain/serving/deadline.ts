import { renderDuration } from '../../../base/duration.ts'
import { readTimeMs } from '../event-time.ts'
import { type ServiceRule, revisionLabel } from '../sight.ts'
import { count } from '../wording.ts'

/** The newest revision has made no progress for as long as it may. What holds it up is mostly told by another cause. */
export const findPassedDeadline: ServiceRule = ({ look: { deployment, name }, nowMs }) => {
  const { metadata, spec, status } = deployment ?? {}
  const condition = status?.conditions?.find(({ type }) => type === 'Progressing')
  // What is said of an earlier generation says nothing of this one.
  if (condition?.reason !== 'ProgressDeadlineExceeded' || status?.observedGeneration !== metadata?.generation) return []
  const deadline = renderDuration((spec?.progressDeadlineSeconds ?? 600) * 1000)
  const missing = Math.max(0, (spec?.replicas ?? 1) - (status?.availableReplicas ?? 0))
  return [
    {
      subject: `Deployment ${name}`,
      revision: spec?.template.metadata?.labels?.[revisionLabel] ?? null,
      reason: 'NoProgress',
      sentence: `no replica of the new revision got ready within ${deadline}${missing === 0 ? '' : `, and ${count(missing, 'replica')} ${missing === 1 ? 'is' : 'are'} missing`}`,
      advice: `\`towline logs ${name}\` shows what the new replicas do; \`towline rollback ${name}\` brings the earlier revision back`,
      evidence: [condition.message ?? ''],
      final: true,
      sinceMs: readTimeMs(condition.lastTransitionTime) ?? nowMs,
      blocks: 'Rollout',
    },
  ]
}
