import { type Rule, say, sayEither, valueOr } from '../rule.ts'

const count = valueOr('count', '1')

export const gpuRules: readonly Rule[] = [
  {
    at: 'spec.gpu',
    field: 'sharing',
    rule: `${valueOr('sharing', `''`)} != 'Shared' || (${count} == 1 && !has(self.mig))`,
    say: sayEither(
      'has(self.mig)',
      say`a MIG slice is never shared; remove \`sharing\` or \`mig\``,
      say`shared devices come one at a time, not ${count}`,
    ),
  },
  {
    at: 'spec.gpu',
    field: 'resourceName',
    rule: '!has(self.mig) || !has(self.resourceName)',
    say: say`give \`mig\` or \`resourceName\`, not both`,
  },
]
