import { formatMs } from '../../base/display.ts'
import type { ServiceStatus } from '../../control/api.ts'
import { renderRow } from '../term/layout.ts'
import {
  compareLatency,
  describeBake,
  describeMetric,
  describeStep,
  describeVerdict,
  describeWay,
  describeWeight,
  explainPause,
} from './rollout-words.ts'

/** The rollout that goes on, or what was rejected, as rows of `status`. */
export function renderRollout(service: ServiceStatus, nowMs: number): string[] {
  const { rollout, rejected, name } = service
  if (rollout === null) return renderRejected(service, nowMs)
  const { from, to, phase, startedAtMs, candidate, moved, pause, cause, analysis } = rollout
  const since = `for ${formatMs(Math.max(0, nowMs - startedAtMs))}`
  const rows: [label: string, text: string | undefined][] = [
    [
      'rollout',
      `revision ${from} → ${to}   ${[phase, describeStep(rollout)].filter(Boolean).join(' at ')}   ${describeWay(rollout)}   ${since}`,
    ],
    [
      'capacity',
      moved === null
        ? `${candidate.ready}/${candidate.wanted} of revision ${to} ready`
        : `${moved} replaced, ${candidate.ready} of revision ${to} ready`,
    ],
    ['weight', describeWeight(rollout)],
    ['bake', describeBake(rollout)],
    ['judge', analysis === null ? undefined : describeVerdict(analysis)],
    ...(analysis?.metrics ?? []).map((metric): [string, string] => ['', describeMetric(metric)]),
    ['latency', compareLatency(service, rollout)],
    [
      'paused',
      pause === null
        ? undefined
        : `${pause.reason}, ${formatMs(Math.max(0, nowMs - pause.sinceMs))} ago: ${pause.message}; ${explainPause(rollout, name)}`,
    ],
    ['abort', cause === null ? undefined : `${cause.reason}: ${cause.message}`],
  ]
  const block = rows.flatMap(([label, text]) => (text === undefined ? [] : [renderRow(label, text)]))
  // A rollback goes on because of what it takes back.
  return rejected === null ? block : [...block, ...renderRejected(service, nowMs)]
}

function renderRejected({ rejected }: ServiceStatus, nowMs: number): string[] {
  if (rejected === null) return []
  const { revision, reason, message, hint, atMs } = rejected
  const advice = hint === null ? '' : ` (${hint})`
  return [
    renderRow(
      'rejected',
      `revision ${revision}, ${formatMs(Math.max(0, nowMs - atMs))} ago, ${reason}: ${message}${advice}`,
    ),
  ]
}
