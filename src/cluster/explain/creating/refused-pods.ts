import { oneLine } from '../../../base/display.ts'
import { readTimeMs } from '../event-time.ts'
import { type ServiceRule, revisionLabel } from '../sight.ts'
import { tellPolicy } from './policy.ts'
import { tellQuota } from './quota.ts'
import type { Refusal } from './refusal.ts'

/** The API server does not let the pods of a revision be made. */
export const findRefusedPods: ServiceRule = ({ look, nowMs }) =>
  look.replicaSets.flatMap((set) => {
    const wants = (set.spec?.replicas ?? 0) > (set.status?.replicas ?? 0)
    const failure = set.status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
    if (!wants || failure?.reason !== 'FailedCreate') return []
    const message = failure.message ?? ''
    const refusal: Refusal = {
      why: message.replace(/^pods? "[^"]*" is forbidden: /, ''),
      namespace: look.namespace,
      account: look.deployment?.spec?.template.spec?.serviceAccountName,
    }
    const told = tellQuota(refusal, look.quotas) ?? tellPolicy(refusal)
    return [
      {
        ...told,
        subject: `ReplicaSet ${set.metadata?.name}`,
        revision: set.metadata?.labels?.[revisionLabel] ?? null,
        evidence: [oneLine(message)],
        final: told.final ?? true,
        sinceMs: readTimeMs(failure.lastTransitionTime) ?? nowMs,
        blocks: 'Rollout',
      },
    ]
  })
