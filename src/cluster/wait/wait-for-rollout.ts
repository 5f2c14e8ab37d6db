import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { Cause, Explanation } from '../explain/cause.ts'
import { explainLook } from '../explain-look.ts'
import { describeProgress, isHindrance } from '../explain/state.ts'
import type { ClusterObservation } from '../observation.ts'
import { observeService } from '../observe.ts'
import { type Held, judgeLook } from './judge-look.ts'

const lookEveryMs = 1000
/** An API server that is restarted or replaced is back by then. */
const lostPatienceMs = 60_000

export interface RolloutWait {
  readonly client: KubeClient
  readonly namespace: string
  readonly name: string
  /** Label `towline.dev/revision` of the pods that are waited for. */
  readonly revision: string
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Absent: as long as the cluster allows (progressDeadlineSeconds). */
  readonly timeoutMs?: number
  /** Default: false. */
  readonly expectNodes?: boolean
  onLook?(progress: RolloutProgress): void
}

export interface RolloutProgress {
  /** `2 of 3 replicas are new and ready, 1 old one is left` */
  readonly words: string
  /** Absent: the API server did not answer. */
  readonly explanation?: Explanation
}

interface Seen {
  readonly explanation: Explanation
  readonly observation: ClusterObservation
}

export type RolloutEnd =
  | (Seen & { readonly kind: 'Ready'; readonly tookMs: number })
  | (Seen & { readonly kind: 'Failed'; readonly cause: Cause; readonly tookMs: number })
  /** The time given was over. */
  | (Partial<Seen> & { readonly kind: 'Late'; readonly cause?: Cause; readonly tookMs: number })

/**
 * Looks once a second until the revision serves, or until it is sure that it will not. TL_CLUSTER_UNREACHABLE when the API server is
 * gone for longer than a minute, TL_CLUSTER_CONFLICT when somebody asked for another revision meanwhile.
 */
export async function waitForRollout(wait: RolloutWait): Promise<RolloutEnd> {
  const { client, namespace, name, revision, clock, signal, timeoutMs, expectNodes = false, onLook } = wait
  const startMs = clock.monotonicMs()
  const tookMs = (): number => Math.round(clock.monotonicMs() - startMs)
  let held: Held | undefined
  let seen: Seen | undefined
  let lostSinceMs: number | undefined
  for (;;) {
    const look = await observeService(client, { namespace, name, clock, signal }).catch((error: unknown) => {
      signal.throwIfAborted()
      const nowMs = clock.monotonicMs()
      lostSinceMs ??= nowMs
      if (!isPassing(error) || nowMs - lostSinceMs >= lostPatienceMs) throw error
      onLook?.({ words: `the API server does not answer: ${error.detail}` })
      return undefined
    })
    if (look !== undefined) {
      lostSinceMs = undefined
      const explanation = await explainLook(client, look, signal)
      seen = { explanation, observation: look }
      const verdict = judgeLook(look, explanation, { revision, expectNodes }, held)
      if (verdict.kind === 'Replaced') throw explainReplaced(name, revision, verdict.by)
      onLook?.({ words: describeProgress(explanation.replicas, look.deployment?.spec?.strategy?.type), explanation })
      if (verdict.kind === 'Ready') return { kind: 'Ready', ...seen, tookMs: tookMs() }
      if (verdict.kind === 'Failed') return { kind: 'Failed', ...seen, cause: verdict.cause, tookMs: tookMs() }
      held = verdict.held
    }
    if (timeoutMs !== undefined && tookMs() >= timeoutMs) {
      const cause = seen?.explanation.causes.find(isHindrance)
      return { kind: 'Late', ...seen, ...(cause === undefined ? {} : { cause }), tookMs: tookMs() }
    }
    await clock.sleep(lookEveryMs, signal)
  }
}

function isPassing(error: unknown): error is TowlineError {
  return error instanceof TowlineError && ['TL_CLUSTER_UNREACHABLE', 'TL_CLUSTER_FAILED'].includes(error.code)
}

function explainReplaced(name: string, revision: string, by: string | undefined): TowlineError {
  const detail =
    by === undefined
      ? `${name} is not deployed any more, while revision ${revision} was waited for`
      : `${name} was set to revision ${by}, while revision ${revision} was waited for`
  return new TowlineError('TL_CLUSTER_CONFLICT', detail, {
    hint: `\`towline status ${name}\` shows what goes on now; somebody else deploys it, too`,
  })
}
