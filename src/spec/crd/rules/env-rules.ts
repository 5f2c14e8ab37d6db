import { reservedName, secretName, secretShapes } from '../../rules/env-rules.ts'
import { given, matches, type Rule, say } from '../rule.ts'

const sources = given('self.valueFrom', ['secretKeyRef', 'configMapKeyRef'])

/** That a name stands once is the key of the list. */
export const envRules: readonly Rule[] = [
  {
    at: 'spec.env[]',
    field: 'name',
    rule: `!${matches('self.name', reservedName)}`,
    say: say`\`${'self.name'}\` is set by Towline; remove it from env`,
  },
  {
    at: 'spec.env[]',
    field: 'name',
    rule: 'has(self.value) != has(self.valueFrom)',
    say: say`\`${'self.name'}\` has ${`has(self.value) ? 'both \`value\` and' : 'neither \`value\` nor'`} \`valueFrom\`; give one of them`,
  },
  {
    at: 'spec.env[]',
    field: 'valueFrom',
    rule: `!has(self.valueFrom) || (${sources}).size() == 1`,
    say: say`valueFrom of \`${'self.name'}\` names ${`(${sources}).size()`} sources; give one: secretKeyRef or configMapKeyRef`,
  },
  ...[matches('self.name', secretName), ...secretShapes.map((shape) => matches('self.value', shape))].map(
    (looksSecret): Rule => ({
      at: 'spec.env[]',
      field: 'value',
      rule: `!has(self.value) || self.value == '' || !${looksSecret}`,
      say: say`\`${'self.name'}\` looks like a secret in clear text; use valueFrom.secretKeyRef, and --env-file locally`,
    }),
  ),
  {
    at: 'spec.env[]',
    field: 'value',
    rule: String.raw`!has(self.value) || !self.value.contains('\u0000')`,
    say: say`a value cannot hold a NUL character`,
  },
]
