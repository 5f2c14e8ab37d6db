import { defaults } from '../../defaults.ts'
import { type Rule, say } from '../rule.ts'

const least = {
  'spec.serving.maxBody': 1,
  'spec.resources.memory': 1024 * 1024,
  'spec.gpu.minMemory': 1024 * 1024,
} as const
const cores = ['spec.resources.cpu', 'spec.resources.cpuLimit']
const shares = ['scaleUp', 'scaleDown'].map((way) => `spec.autoscaling.behavior.${way}.tolerance`)

const text = 'string(self)'
const amount = `quantity(${text})`
/** What is no quantity is told by another rule. */
const where = (rule: string): string => `!isQuantity(${text}) || (${rule})`

const bytesRules = Object.entries(least).flatMap(([at, leastBytes]): Rule[] => [
  {
    at,
    rule: `isQuantity(${text})`,
    say: say`\`${text}\` is not a Kubernetes quantity; write for example 512Mi or 1G`,
  },
  {
    at,
    // A started byte counts.
    rule: where(`${amount}.isGreaterThan(quantity('${leastBytes - 1}'))`),
    say: say`\`${text}\` is too little; the least is ${`'${leastBytes} B'`} (Mi and Gi count bytes)`,
  },
  {
    at,
    rule: where(`!${amount}.isGreaterThan(quantity('${Number.MAX_SAFE_INTEGER}'))`),
    say: say`\`${text}\` is more than any machine has`,
  },
])

const coresRules = cores.flatMap((at): Rule[] => [
  {
    at,
    rule: `isQuantity(${text})`,
    say: say`\`${text}\` is not a Kubernetes quantity; write for example 500m or 2`,
  },
  {
    at,
    rule: where(`${amount}.isGreaterThan(quantity('0')) && !${amount}.isGreaterThan(quantity('1024'))`),
    say: say`\`${text}\` cores is outside 1m to 1024`,
  },
])

const shareRules = shares.map((at): Rule => ({
  at,
  rule: `isQuantity(${text}) && !${amount}.isLessThan(quantity('0')) && !${amount}.isGreaterThan(quantity('1'))`,
  say: say`\`${text}\` is no share; write for example 0.05 or 50m (from 0 to 1)`,
}))

const reserved = `string(has(self.cpu) ? self.cpu : '${defaults.cpuMillis}m')`

export const quantityRules: readonly Rule[] = [
  ...bytesRules,
  ...coresRules,
  ...shareRules,
  {
    at: 'spec.resources',
    field: 'cpuLimit',
    rule: `!has(self.cpuLimit) || !isQuantity(string(self.cpuLimit)) || !isQuantity(${reserved}) || !quantity(string(self.cpuLimit)).isLessThan(quantity(${reserved}))`,
    say: say`cpuLimit ${'string(self.cpuLimit)'} is below the cpu that is reserved, ${reserved}`,
  },
]
