import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { Cause } from '../explain/cause.ts'
import { keys } from '../../render/names.ts'
import { writeVerdict } from '../orders/verdict.ts'
import { listRevisions } from '../revisions.ts'
import { findDeployment } from '../orders/find-service.ts'
import { rollbackService } from '../orders/rollback-service.ts'
import type { DeployTarget, PreparedDeploy } from '../plan/prepare-deploy.ts'
import { type RolloutEnd, type RolloutProgress, waitForRollout } from '../wait/wait-for-rollout.ts'
import { carryOut } from './carry-out.ts'

export interface DeployOptions extends Omit<DeployTarget, 'signal'> {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** False: returns as soon as everything is written. */
  readonly wait: boolean
  /** For the new revision and, where it fails, the way back. Absent: as long as the Deployment allows. */
  readonly timeoutMs?: number | undefined
  /** `Wait`: for the new revision; `Back`: for the one before it. */
  onProgress?(stage: 'Wait' | 'Back', progress: RolloutProgress): void
}

export type DeployEnd =
  /** It serves. */
  | { readonly kind: 'Ready'; readonly tookMs: number; readonly serving: number }
  /** Written, and not waited for. */
  | { readonly kind: 'Written' }
  /** `spec.paused`: it is there, and no pod of it before somebody says so. */
  | { readonly kind: 'Paused' }
  /** It will not get ready. `back`: what was done about it. */
  | {
      readonly kind: 'Failed'
      readonly cause: Cause
      readonly serving: number
      readonly back: WayBack
      /** Why it could not be marked as given up: a later rollback may go back to it. */
      readonly unmarked?: string
    }
  /** The time is over; it may get ready yet. */
  | { readonly kind: 'Late'; readonly cause?: Cause; readonly tookMs: number }

export type WayBack =
  /** The revision before it serves again: its label, and whether all of its replicas are ready. */
  | { readonly kind: 'Back'; readonly to: string; readonly isReady: boolean }
  /** The spec wants no way back, or there is nothing to go back to. */
  | { readonly kind: 'Stays'; readonly reason: 'OnFailurePause' | 'NothingBefore' }

/**
 * Carries out a plan without refusals and sees to its end. A revision that does not get ready is given up and marked, and the one
 * before it brought back, as `rollout.onFailure` says. TL_CLUSTER_CONFLICT: somebody else deployed meanwhile.
 */
export async function deployService(options: DeployOptions, prepared: PreparedDeploy): Promise<DeployEnd> {
  const { client, service, rendered, signal, clock, wait, timeoutMs, onProgress } = options
  await carryOut(client, prepared, signal)
  // What is tried again has not been given up yet.
  if (prepared.plan.pods !== null) await judge(options, prepared.replicaSets, undefined)
  if (service.service.paused) return { kind: 'Paused' }
  if (!wait) return { kind: 'Written' }
  const { namespace, name, revision } = rendered
  const end = await waitForRollout({
    client,
    namespace,
    name,
    revision,
    clock,
    signal,
    expectNodes: options.expectNodes ?? false,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(onProgress === undefined ? {} : { onLook: (progress) => onProgress('Wait', progress) }),
  })
  switch (end.kind) {
    case 'Late':
      return end.cause === undefined
        ? { kind: 'Late', tookMs: end.tookMs }
        : { kind: 'Late', cause: end.cause, tookMs: end.tookMs }
    case 'Ready': {
      await judge(options, end.observation.replicaSets, undefined)
      return { kind: 'Ready', tookMs: end.tookMs, serving: end.explanation.replicas.serving }
    }
    case 'Failed':
      return await giveUp(options, end)
  }
}

async function giveUp(
  options: DeployOptions,
  { cause, observation, explanation, tookMs }: RolloutEnd & { readonly kind: 'Failed' },
): Promise<DeployEnd> {
  const { client, service, rendered, signal, clock, timeoutMs, onProgress } = options
  const { namespace, name, revision } = rendered
  const unmarked = await judge(options, observation.replicaSets, cause)
  const failed = (back: WayBack, serving = explanation.replicas.serving): DeployEnd => ({
    kind: 'Failed',
    cause,
    serving,
    back,
    ...(unmarked === undefined ? {} : { unmarked }),
  })
  if (service.service.rollout.onFailure === 'Pause') return failed({ kind: 'Stays', reason: 'OnFailurePause' })
  const others = listRevisions(observation).filter(({ label, rejected }) => label !== revision && rejected === null)
  if (others.length === 0) return failed({ kind: 'Stays', reason: 'NothingBefore' })
  await insistOnOurs(options)
  const { label: before } = await rollbackService(client, { namespace, name, signal })
  const end = await waitForRollout({
    client,
    namespace,
    name,
    revision: before,
    clock,
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs: Math.max(0, timeoutMs - tookMs) }),
    ...(onProgress === undefined ? {} : { onLook: (progress) => onProgress('Back', progress) }),
  })
  return failed({ kind: 'Back', to: before, isReady: end.kind === 'Ready' }, end.explanation?.replicas.serving ?? 0)
}

/** What somebody else deployed meanwhile is not ours to take back. */
async function insistOnOurs({ client, rendered, signal }: DeployOptions): Promise<void> {
  const { namespace, name, revision } = rendered
  const { spec } = await findDeployment(client, { namespace, name, signal })
  const now = spec?.template.metadata?.labels?.[keys.revision]
  if (now !== revision)
    throw new TowlineError(
      'TL_CLUSTER_CONFLICT',
      `${name} was set to revision ${now}, while ${revision} was given up`,
      {
        hint: `\`towline status ${name}\` shows what goes on now; somebody else deploys it, too`,
      },
    )
}

/** Written on the ReplicaSets of the revision, where a rollback looks for what may be gone back to. Why it could not be, if so. */
async function judge(
  { client, rendered, signal }: DeployOptions,
  replicaSets: readonly ReplicaSet[],
  cause: Cause | undefined,
): Promise<string | undefined> {
  let unmarked: string | undefined
  for (const set of replicaSets.filter((each) => revisionOf(each) === rendered.revision)) {
    const reason = await writeVerdict(
      client,
      set,
      cause === undefined ? null : `${cause.reason}: ${cause.sentence}`,
      signal,
    )
    unmarked ??= reason
  }
  return unmarked
}

function revisionOf({ metadata }: ReplicaSet): string | undefined {
  return metadata?.labels?.[keys.revision]
}
