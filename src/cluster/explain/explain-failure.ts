import type { TowlineError } from '../../base/errors.ts'
import type { Cause } from './cause.ts'

/** A failure of a call to the cluster, as the cause that it is: nobody answers, it is not allowed, an eviction is refused. */
export function explainFailure(error: TowlineError, atMs: number): Cause {
  const { code, detail, hint } = error
  const rest = { subject: 'the cluster', revision: null, evidence: [error.message], sinceMs: atMs } as const
  if (/disruption budget/i.test(detail))
    return {
      ...rest,
      reason: 'EvictionBlocked',
      sentence: 'the pod may not be evicted now, because its disruption budget needs every pod that is well',
      advice: 'wait until more pods are ready, or allow one to go with `maxUnavailable: 1` in the budget',
      final: false,
      blocks: 'Drain',
    }
  const known = describeCode(code)
  return {
    ...rest,
    reason: known.reason,
    sentence: detail,
    advice: hint ?? known.advice,
    final: known.final,
    blocks: 'Rollout',
  }
}

function describeCode(code: TowlineError['code']): { reason: string; advice: string; final: boolean } {
  switch (code) {
    case 'TL_CLUSTER_UNREACHABLE':
      return {
        reason: 'ClusterUnreachable',
        advice: 'see whether the API server runs and can be reached from here: `kubectl version` asks it as well',
        final: false,
      }
    case 'TL_CLUSTER_FORBIDDEN':
      return {
        reason: 'Forbidden',
        advice: 'ask whoever keeps the cluster for a Role that allows it in this namespace',
        final: true,
      }
    case 'TL_CLUSTER_UNAUTHORIZED':
      return { reason: 'Unauthorized', advice: 'log in to the cluster again, or choose another context', final: true }
    default:
      return { reason: 'ClusterRefused', advice: 'change what it names', final: true }
  }
}
