import { requestTargets } from '../../rules/scaling-rules.ts'
import { given, type Rule, say, valueOr } from '../rule.ts'

const at = 'spec.autoscaling'
const targets = ['cpuPercent', 'memoryPercent', ...requestTargets]
const hasOneOf = (fields: readonly string[]): string =>
  `(has(self.targets) && (${given('self.targets', fields)}).size() > 0)`
const isZero = `${valueOr('minReplicas', '1')} == 0`
const upPolicies = valueOr('behavior.scaleUp.policies', '[]')

export const scalingRules: readonly Rule[] = [
  {
    at,
    field: 'minReplicas',
    rule: '!has(self.minReplicas) || self.minReplicas <= self.maxReplicas',
    say: say`minReplicas ${'self.minReplicas'} is above maxReplicas ${'self.maxReplicas'}`,
  },
  {
    at,
    field: 'minReplicas',
    rule: `!(${isZero}) || ${hasOneOf(requestTargets)}`,
    say: { message: `minReplicas 0 needs a target that counts requests: ${requestTargets.join(', ')}` },
  },
  {
    at,
    rule: `${hasOneOf(targets)} || ${valueOr('prometheus', '[]')}.size() > 0`,
    say: say`autoscaling has neither \`targets\` nor \`prometheus\`, so it would never scale`,
  },
  {
    at,
    field: 'burst',
    rule: `!has(self.burst) || ${hasOneOf(['concurrency'])}`,
    say: say`burst watches the requests in flight; add targets.concurrency`,
  },
  {
    at,
    field: 'behavior.scaleUp.policies',
    rule: `!(${isZero}) || ${upPolicies}.size() == 0 || ${upPolicies}.exists(policy, policy.type == 'Pods')`,
    say: say`a percentage of zero is zero: without a policy of type Pods the service would never come back`,
  },
  ...(['cpu', 'memory'] as const).map((resource): Rule => ({
    at: 'spec',
    field: `autoscaling.targets.${resource}Percent`,
    rule: `!(has(self.autoscaling) && has(self.autoscaling.targets) && has(self.autoscaling.targets.${resource}Percent)) || (has(self.resources) && has(self.resources.${resource}))`,
    say: { message: `${resource}Percent is a share of \`resources.${resource}\`, which is not given; add it` },
  })),
  {
    at: 'spec',
    field: 'replicas',
    rule: '!has(self.replicas) || !has(self.autoscaling)',
    say: say`replicas is fixed here, and autoscaling would change it; remove one of the two`,
  },
]
