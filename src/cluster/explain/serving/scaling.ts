import { oneLine } from '../../../base/display.ts'
import { readTimeMs } from '../event-time.ts'
import type { ServiceRule } from '../sight.ts'

/** A new autoscaler has no metrics for its first pods for so long. */
const patienceMs = 60_000

/** The autoscaler cannot read what it should scale by. The number of replicas then stays as it is. */
export const findBlindAutoscaler: ServiceRule = ({ look: { autoscaler, name }, nowMs }) => {
  const failed = autoscaler?.status?.conditions?.find(
    ({ type, status }) => (type === 'ScalingActive' || type === 'AbleToScale') && status === 'False',
  )
  if (failed?.reason === undefined || failed.reason === 'ScalingDisabled') return []
  const message = failed.message ?? ''
  const sinceMs = readTimeMs(failed.lastTransitionTime) ?? nowMs
  const rest = {
    subject: `HorizontalPodAutoscaler ${name}`,
    revision: null,
    evidence: [`${failed.reason}: ${oneLine(message)}`],
    sinceMs,
    blocks: 'Scaling',
  } as const
  if (/could not find the requested resource|no matches for|the server is currently unable/.test(message)) {
    const api = /\(get [a-z*]+\.((?:custom\.|external\.)?metrics\.k8s\.io)\)/.exec(message)?.[1] ?? 'metrics.k8s.io'
    return [
      {
        ...rest,
        reason: 'MetricsMissing',
        sentence: `its autoscaler cannot read how busy the pods are: this cluster serves no ${api}`,
        advice:
          api === 'metrics.k8s.io'
            ? 'install metrics-server; until then the number of replicas stays as it is'
            : `install an adapter that serves ${api}; until then the number of replicas stays as it is`,
        final: true,
      },
    ]
  }
  const request = /missing request for (\S+)/.exec(message)?.[1]
  if (request !== undefined)
    return [
      {
        ...rest,
        reason: 'MetricsImpossible',
        sentence: `its autoscaler cannot work with a share of ${request}, because the pods ask for none`,
        advice: `set \`resources.${request}\``,
        final: true,
      },
    ]
  return [
    {
      ...rest,
      reason: 'MetricsUnread',
      sentence: `its autoscaler cannot read how busy the pods are: ${oneLine(message.replace(/^the HPA was unable to compute the replica count: /, ''))}`,
      advice: 'wait a minute for the first measurements; where it lasts, see whether `kubectl top pods` works',
      final: nowMs - sinceMs >= patienceMs,
    },
  ]
}
