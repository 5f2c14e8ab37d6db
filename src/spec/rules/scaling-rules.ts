import type { Finding } from '../source/finding.ts'
import type { DocumentView } from './document-view.ts'

export const requestTargets = ['concurrency', 'requestsPerSecond', 'queuedRows']

export function checkScaling(view: DocumentView): Finding[] {
  if (!view.has('spec', 'autoscaling')) return []
  const findings: Finding[] = []
  const say = (code: Finding['code'], path: readonly (string | number)[], message: string): void => {
    findings.push({ code, path: ['spec', 'autoscaling', ...path], message })
  }
  const least = view.numberAt('spec', 'autoscaling', 'minReplicas')
  const most = view.numberAt('spec', 'autoscaling', 'maxReplicas')
  if (least !== undefined && most !== undefined && least > most)
    say('TL_SPEC_SCALE_RANGE', ['minReplicas'], `minReplicas ${least} is above maxReplicas ${most}`)
  const targets = view.keysAt('spec', 'autoscaling', 'targets')
  const queries = view.listAt('spec', 'autoscaling', 'prometheus')
  if (least === 0 && !targets.some((target) => requestTargets.includes(target)))
    say(
      'TL_SPEC_SCALE_TO_ZERO',
      ['minReplicas'],
      `minReplicas 0 needs a target that counts requests: ${requestTargets.join(', ')}`,
    )
  if (targets.length === 0 && queries.length === 0)
    say('TL_SPEC_SCALE_TARGET', [], 'autoscaling has neither `targets` nor `prometheus`, so it would never scale')
  if (view.has('spec', 'autoscaling', 'burst') && !targets.includes('concurrency'))
    say('TL_SPEC_SCALE_TARGET', ['burst'], 'burst watches the requests in flight; add targets.concurrency')
  const up = ['spec', 'autoscaling', 'behavior', 'scaleUp']
  const upPolicies = view.listAt(...up, 'policies')
  const adds = [...upPolicies.keys()].some((index) => view.textAt(...up, 'policies', index, 'type') === 'Pods')
  if (least === 0 && upPolicies.length > 0 && !adds)
    say(
      'TL_SPEC_SCALE_TO_ZERO',
      ['behavior', 'scaleUp', 'policies'],
      'a percentage of zero is zero: without a policy of type Pods the service would never come back',
    )
  if (targets.includes('cpuPercent') && !view.has('spec', 'resources', 'cpu'))
    say(
      'TL_SPEC_SCALE_TARGET',
      ['targets', 'cpuPercent'],
      'cpuPercent is a share of `resources.cpu`, which is not given; add it',
    )
  if (targets.includes('memoryPercent') && !view.has('spec', 'resources', 'memory'))
    say(
      'TL_SPEC_SCALE_TARGET',
      ['targets', 'memoryPercent'],
      'memoryPercent is a share of `resources.memory`, which is not given; add it',
    )
  if (view.has('spec', 'replicas')) {
    const message = 'replicas is fixed here, and autoscaling would change it; remove one of the two'
    findings.push({ code: 'TL_SPEC_REPLICAS', path: ['spec', 'replicas'], message })
  }
  return findings
}
