import { renderDuration } from '../../../base/duration.ts'
import { defaults } from '../../defaults.ts'
import { durationOf, given, ifDurations, type Rule, say, sayEither, valueOr } from '../rule.ts'

const timeout = valueOr('serving.timeout', `'${renderDuration(defaults.timeoutMs)}'`)
const drainTimeout = valueOr('lifecycle.drainTimeout', `'${renderDuration(defaults.drainTimeoutMs)}'`)
const runtimes = given('self', ['onnx', 'app', 'container', 'tensorflow', 'triton', 'vllm'])
const limits = given('self', ['maxRows', 'maxDelay'])
const limitsInWords = `(!has(self.maxDelay) ? 'maxRows' : !has(self.maxRows) ? 'maxDelay' : 'maxRows and maxDelay')`

export const servingRules: readonly Rule[] = [
  {
    at: 'spec.runtime',
    rule: `(${runtimes}).size() == 1`,
    say: sayEither(
      `(${runtimes}).size() == 0`,
      say`runtime names none; remove it or give one`,
      say`runtime names ${runtimes}; give exactly one`,
    ),
  },
  {
    at: 'spec',
    field: 'lifecycle.drainTimeout',
    rule: ifDurations([drainTimeout, timeout], `${durationOf(drainTimeout)} >= ${durationOf(timeout)}`),
    say: say`drainTimeout ${drainTimeout}${`has(self.lifecycle) && has(self.lifecycle.drainTimeout) ? '' : ' (default)'`} is shorter than serving.timeout ${timeout}: requests would be cut off`,
  },
  ...['spec.serving.timeout', 'spec.lifecycle.startupTimeout'].map((at): Rule => ({
    at,
    rule: ifDurations(['self'], `${durationOf('self')} > duration('0s')`),
    say: { message: `\`${at}\` is 0; nothing can be done in no time` },
  })),
  ...['spec.serving.timeout', 'spec.lifecycle.startupTimeout', 'spec.lifecycle.drainTimeout'].map((at): Rule => ({
    at,
    rule: ifDurations(['self'], `${durationOf('self')} <= duration('24h')`),
    say: say`\`${`'${at}'`}\` is ${'self'}; the most is 24h`,
  })),
  {
    at: 'spec.serving.batching',
    field: 'mode',
    rule: `self.mode != 'Fixed' || (${limits}).size() == 2`,
    say: say`batching mode Fixed needs both \`maxRows\` and \`maxDelay\``,
  },
  {
    at: 'spec.serving.batching',
    field: 'mode',
    rule: `self.mode == 'Fixed' || (${limits}).size() == 0`,
    say: say`${limitsInWords} only mean something with mode Fixed, not \`${'self.mode'}\``,
  },
]
