import type { ClusterObservation } from '../observation.ts'
import type { Cause, ReplicaCounts, ServiceState } from './cause.ts'
import { isComplete } from './counts.ts'
import { count } from './wording.ts'

export function judgeState(look: ClusterObservation, replicas: ReplicaCounts, causes: readonly Cause[]): ServiceState {
  const { deployment, pods } = look
  if (deployment === undefined) return pods.length === 0 ? 'Missing' : 'Stopping'
  if (deployment.metadata?.deletionTimestamp !== undefined) return 'Stopping'
  const { desired, serving } = replicas
  if (desired === 0) return pods.length === 0 ? 'Idle' : 'Progressing'
  const hinders = causes.filter(isHindrance)
  const closed = hinders.some(({ final, blocks }) => final && blocks === 'Traffic')
  if (isComplete(look, replicas) && !closed) return 'Ready'
  if (deployment.spec?.paused === true && replicas.updated < desired) return 'Paused'
  if (closed) return 'Failed'
  if (hinders.some(({ final }) => final)) return serving === 0 ? 'Failed' : 'Degraded'
  // It had been complete, and nothing new was asked for since.
  const settled = deployment.status?.conditions?.some(
    ({ type, reason }) => type === 'Progressing' && reason === 'NewReplicaSetAvailable',
  )
  const isNew = deployment.status?.observedGeneration !== deployment.metadata?.generation
  return settled === true && !isNew && hinders.length > 0 ? 'Degraded' : 'Progressing'
}

/** It keeps replicas from serving. */
export function isHindrance({ blocks }: Cause): boolean {
  return blocks === 'Rollout' || blocks === 'Traffic'
}

/** One sentence, with the counts and the cause that matters most. */
export function summarize(
  { name, namespace, deployment, pods }: ClusterObservation,
  state: ServiceState,
  replicas: ReplicaCounts,
  causes: readonly Cause[],
): string {
  const { desired, ready, serving, old } = replicas
  const cause = causes.find(isHindrance)
  const why = cause === undefined ? '' : `, because ${tellSubject(cause)}${cause.sentence}`
  const served = cause?.blocks === 'Rollout' && serving >= desired
  switch (state) {
    case 'Missing':
      return `${name} is not deployed in namespace ${namespace}`
    case 'Stopping':
      return `${name} is being taken down`
    case 'Idle':
      return `${name} is idle: it was scaled to 0 replicas`
    case 'Ready':
      return `${name} is ready: ${serving} of ${count(desired, 'replica')} serve${desired === 1 ? 's' : ''}`
    case 'Paused':
      return `${name} is paused: a new revision waits, and ${serving} of ${count(desired, 'replica')} serve${desired === 1 ? 's' : ''}`
    case 'Failed':
      return `${name} has failed: no replica serves${why}`
    case 'Degraded':
      return `${name} is degraded: ${serving} of ${count(desired, 'replica')} serve${desired === 1 ? 's' : ''}${served ? why.replace(',', ', and the new revision does not get ready') : why}`
    case 'Progressing':
      if (desired === 0)
        return `${name} goes to sleep: ${count(pods.length, 'replica')} still answer${pods.length === 1 ? 's' : ''} what was asked`
      return `${name} is on its way: ${describeProgress({ desired, ready, old }, deployment?.spec?.strategy?.type)}${why.replace(', because ', '; ')}`
  }
}

/** `it` of a sentence needs somebody that it stands for. */
function tellSubject({ subject, sentence }: Cause): string {
  return /^(it|its) /.test(sentence) ? `of ${subject}: ` : ''
}

/** `2 of 3 replicas are new and ready, 1 old one is left`. */
export function describeProgress(
  { desired, ready, old }: Pick<ReplicaCounts, 'desired' | 'ready' | 'old'>,
  strategy?: string,
): string {
  const fresh = old > 0 || strategy === 'Recreate' ? 'new and ready' : 'ready'
  const left = old === 0 ? '' : `, ${count(old, 'old one')} ${old === 1 ? 'is' : 'are'} left`
  return `${ready} of ${count(desired, 'replica')} ${desired === 1 ? 'is' : 'are'} ${fresh}${left}`
}
