import { formatBytes, formatMs } from '../../base/display.ts'
import type { EngineEvent, ServiceStatus } from '../../control/api.ts'
import {
  compareLatency,
  describeMetric,
  describeVerdict,
  describeWay,
  describeWeight,
  explainPause,
} from './rollout-words.ts'

/** The present state of a service as sentences, the most telling first, each with what it rests on. */
export function explainService(service: ServiceStatus, events: readonly EngineEvent[], nowMs: number): string[] {
  return [
    explainPhase(service),
    ...explainRollout(service, nowMs),
    ...explainRejected(service, nowMs),
    ...explainReplicas(service, nowMs),
    ...explainScale(service, nowMs),
    ...explainTraffic(service),
    ...explainEvents(events, nowMs),
  ]
}

function explainPhase({ name, phase, summary, revision, model }: ServiceStatus): string {
  const size = model.sizeBytes === null ? '' : ` (${formatBytes(model.sizeBytes)})`
  return `${name} is ${phase}: ${summary}. It serves revision ${revision} of ${model.name}${size}.`
}

function explainRollout({ name, rollout, ...service }: ServiceStatus, nowMs: number): string[] {
  if (rollout === null) return []
  const { from, to, pause, analysis, startedAtMs, cause } = rollout
  const weight = describeWeight(rollout)
  const latency = compareLatency(service, rollout)
  const compared = analysis?.metrics.map(describeMetric).join('; ') ?? ''
  return [
    `The rollout from revision ${from} to ${to} (${describeWay(rollout)}) began ${formatMs(Math.max(0, nowMs - startedAtMs))} ago.`,
    ...(weight === undefined ? [] : [`Its weight is ${weight.replace('   ', ', ')}.`]),
    ...(analysis === null ? [] : [`The judge says ${describeVerdict(analysis).replaceAll('   ', ', ')}.`]),
    ...(compared === '' ? [] : [`Compared are ${compared}.`]),
    ...(latency === undefined ? [] : [`In the last minute ${latency}.`]),
    ...(cause === null ? [] : [`It turns back because of ${cause.reason}: ${cause.message}.`]),
    ...(pause === null
      ? []
      : [`It is paused (${pause.reason}): ${pause.message}. To do: ${explainPause(rollout, name)}.`]),
  ]
}

function explainRejected({ name, file, rejected, rollout, summary }: ServiceStatus, nowMs: number): string[] {
  if (rejected === null) return []
  const { revision, reason, message, hint, atMs } = rejected
  // A cluster keeps no spec that it could try again.
  const again = file === null ? '`towline deploy`' : `\`towline retry ${name}\``
  const more = `change the spec or the model, or ${again} tries the same again`
  const advice = hint === null ? more : reason === 'ByHand' ? hint : `${hint}; then ${more}`
  const way = rollout === null ? ` To do: ${advice}.` : ''
  const why = summary.includes(message) ? '' : `: ${message}`
  return [`Revision ${revision} was rejected ${formatMs(Math.max(0, nowMs - atMs))} ago (${reason})${why}.${way}`]
}

function explainReplicas({ instances }: ServiceStatus, nowMs: number): string[] {
  return instances.flatMap(({ name, phase, restarts, lastFailure, nextStartAtMs }) => {
    if (lastFailure === null) return phase === 'Ready' ? [] : [`${name} is ${phase}.`]
    const { reason, message, hint, atMs } = lastFailure
    const next = nextStartAtMs === null ? '' : ` The next start is in ${formatMs(Math.max(0, nextStartAtMs - nowMs))}.`
    const often = restarts === 0 ? '' : `, ${restarts} ${restarts === 1 ? 'restart' : 'restarts'} so far`
    const advice = hint === null ? '' : ` To do: ${hint}.`
    return [`${name} is ${phase}${often}: ${reason} ${formatMs(nowMs - atMs)} ago, ${message}.${next}${advice}`]
  })
}

function explainScale({ scale, replicas }: ServiceStatus, nowMs: number): string[] {
  if (scale === null) return []
  const since = scale.changedAtMs === null ? '' : ` since ${formatMs(nowMs - scale.changedAtMs)}`
  const range = scale.minReplicas === null ? '' : `, of ${scale.minReplicas} to ${scale.maxReplicas} allowed`
  const asked = scale.metrics
    .map(
      ({ metric, replicas: wanted, failure }) =>
        `${metric} ${failure === null ? `asks for ${wanted}` : `is not known (${failure})`}`,
    )
    .join(', ')
  const told = scale.conditions.filter(isTelling).map(({ reason, message }) => `${reason}: ${message}`)
  return [
    `It has ${replicas.desired} ${replicas.desired === 1 ? 'replica' : 'replicas'}${since}${range}${scale.reason === '' ? '' : `: ${scale.reason}`}.`,
    ...(asked === '' ? [] : [`Of the metrics, ${asked}.`]),
    ...(scale.burst ? ['Burst mode is on: it grows and does not shrink.'] : []),
    ...(told.length === 0 ? [] : [`The autoscaler says ${told.join('; ')}.`]),
  ]
}

/** The others say that all went as usual. */
function isTelling({ type, status, reason }: NonNullable<ServiceStatus['scale']>['conditions'][number]): boolean {
  if (type === 'ScalingActive') return status === 'False'
  if (type === 'ScalingLimited') return status === 'True'
  return status === 'False' || reason === 'ScaleUpStabilized' || reason === 'ScaleDownStabilized'
}

function explainTraffic({ traffic }: ServiceStatus): string[] {
  if (traffic === null) return []
  const { requests, errors, inFlight, waiting, latency } = traffic
  const held = waiting === 0 ? '' : `, ${waiting} held until a replica is ready`
  const speed =
    latency === null
      ? 'none was answered in the last minute'
      : `in the last minute half took under ${formatMs(latency.p50Ms)} and 99 % under ${formatMs(latency.p99Ms)}`
  return [`Of ${requests} requests ${errors} failed, ${inFlight} are in flight${held}; ${speed}.`]
}

function explainEvents(events: readonly EngineEvent[], nowMs: number): string[] {
  if (events.length === 0) return []
  const told = events.map(({ atMs, replica, reason, message }) => {
    const who = replica === null ? '' : `${replica} `
    return `${formatMs(Math.max(0, nowMs - atMs))} ago ${who}${reason} (${message})`
  })
  return [`Last happened: ${told.join('; ')}.`]
}
