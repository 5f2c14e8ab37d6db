import { hasReadyEndpoint } from '../counts.ts'
import { readTimeMs } from '../event-time.ts'
import type { ServiceFinding, ServiceRule } from '../sight.ts'

/** So long endpoints may lag behind pods. */
const patienceMs = 3000

/** Pods are ready, and yet the Service leads to none of them. */
export const findClosedService: ServiceRule = ({ look, nowMs, pods }) => {
  const { service, deployment, endpoints, unseen } = look
  if (deployment === undefined || unseen.some(({ what }) => what === 'Service' || what === 'EndpointSlices')) return []
  const readySinceMs = pods.flatMap(({ pod }) => {
    const ready = pod.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True')
    return ready === undefined ? [] : (readTimeMs(ready.lastTransitionTime) ?? nowMs)
  })
  if (readySinceMs.length === 0) return []
  const sinceMs = Math.min(...readySinceMs)
  const found = (told: Pick<ServiceFinding, 'reason' | 'sentence' | 'advice' | 'evidence'>): ServiceFinding[] => [
    {
      ...told,
      subject: `Service ${look.name}`,
      revision: null,
      final: nowMs - sinceMs >= patienceMs,
      sinceMs,
      blocks: 'Traffic',
    },
  ]
  const again = 'apply the service again with `towline deploy`'
  if (service === undefined)
    return found({
      reason: 'ServiceMissing',
      sentence: `pods are ready, but there is no Service ${look.name} that leads to them`,
      advice: again,
      evidence: [],
    })
  const selector = Object.entries(service.spec?.selector ?? {})
  const labels = deployment.spec?.template.metadata?.labels ?? {}
  const wrong = selector.filter(([key, value]) => labels[key] !== value)
  if (wrong.length > 0)
    return found({
      reason: 'ServiceSelectsOthers',
      sentence: `the Service ${look.name} leads to pods with ${wrong.map(([key, value]) => `${key}=${value}`).join(', ')}, which those of ${look.name} do not have`,
      advice: again,
      evidence: [`selector: ${selector.map(([key, value]) => `${key}=${value}`).join(',')}`],
    })
  const containers = pods[0]?.containers ?? []
  const names = new Set(containers.flatMap(({ spec }) => (spec.ports ?? []).map(({ name }) => name)))
  const lost = (service.spec?.ports ?? []).find(
    ({ targetPort }) => typeof targetPort === 'string' && !names.has(targetPort),
  )
  if (lost !== undefined)
    return found({
      reason: 'WrongPort',
      sentence: `the Service ${look.name} leads to the port ${lost.targetPort}, which no container of its pods has`,
      advice: again,
      evidence: [`port ${lost.port} → ${lost.targetPort}; the pods have ${[...names].join(', ')}`],
    })
  if (hasReadyEndpoint(endpoints)) return []
  return found({
    reason: 'NoEndpoints',
    sentence: `pods are ready, but the Service ${look.name} does not lead to them yet`,
    advice: 'wait; where it lasts, the controllers of this cluster do not keep up',
    evidence: [`${endpoints.length} EndpointSlices without a ready address`],
  }).map((finding) => ({ ...finding, final: false }))
}
