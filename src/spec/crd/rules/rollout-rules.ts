import { renderDuration } from '../../../base/duration.ts'
import { defaults } from '../../defaults.ts'
import { onlyWithSteps, reservedOverlays } from '../../rules/rollout-rules.ts'
import { durationOf, ifDurations, isDuration, quote, type Rule, say, valueOr } from '../rule.ts'

const at = 'spec.rollout'
const steps = valueOr('steps', '[]')
const weights = 'self.map(step, step.weight)'
const bake = valueOr('bake', quote(renderDuration(defaults.rollout.bakeMs)))
const baked = `self.steps.map(step, has(step.pause) ? duration('0s') : ${durationOf(valueOr('bake', bake, 'step'))}).sum()`
const slowerThan = valueOr('analysis.latency.slowerThan', `'1s'`)
const maxTime = valueOr('analysis.maxTime', quote(renderDuration(defaults.rollout.maxTimeMs)))
const leastReplicas = `has(self.replicas) ? self.replicas : ${valueOr('autoscaling.minReplicas', '1')}`

/** That an environment is required once is the key of the list. */
export const rolloutRules: readonly Rule[] = [
  {
    at: 'spec.rollout.steps',
    rule: `${weights}.isSorted() && self.all(step, self.exists_one(other, other.weight == step.weight))`,
    say: say`the weights ${weights} do not rise: each has to be above that of the step before`,
  },
  {
    at: 'spec.rollout.steps[]',
    field: 'weight',
    rule: 'self.weight != 100',
    say: say`weight 100 leaves nothing to compare with; remove the step: full weight follows the last one by itself`,
  },
  {
    at: 'spec.rollout.steps[]',
    field: 'pause',
    rule: '!has(self.bake) || !has(self.pause)',
    say: say`a step either bakes for a time or pauses for a person; remove one of the two`,
  },
  {
    at,
    field: 'surge',
    rule: `${valueOr('surge', `''`)} != 'Recreate' || ${steps}.size() == 0`,
    say: say`surge Recreate stops the old revision first, so there is nothing to split; remove the steps or choose Swap`,
  },
  {
    at: 'spec',
    field: 'rollout.surge',
    rule: `${valueOr('rollout.surge', `''`)} != 'Swap' || (${leastReplicas}) >= 2`,
    say: say`surge Swap ends a replica before another starts, and there may be only ${leastReplicas}; have at least 2, or choose Surge, or Recreate where a gap is allowed`,
  },
  {
    at: 'spec.rollout.requires[]',
    field: 'environment',
    rule: `!(self.environment in [${reservedOverlays.map(quote).join(', ')}])`,
    say: say`no environment can be called \`${'self.environment'}\`: towline.${'self.environment'}.yaml is another kind of file`,
  },
  {
    at,
    field: 'analysis.latency.slowerThan',
    rule: ifDurations([slowerThan], `${steps}.size() == 0 || ${durationOf(slowerThan)} > duration('0s')`),
    say: say`every answer is slower than 0s; say from when on one is too slow, for example 250ms`,
  },
  {
    at,
    field: 'steps',
    rule: ifDurations(
      [maxTime, bake],
      `${steps}.exists(step, has(step.bake) && !${isDuration('step.bake')}) || ${steps}.size() == 0 || ${durationOf(maxTime)} > ${baked}`,
    ),
    say: say`the steps bake for ${baked}, and the analysis is over after ${maxTime}: raise analysis.maxTime, or let the steps bake less`,
  },
  ...onlyWithSteps.map((field): Rule => ({
    at,
    field,
    rule: `!has(self.${field}) || ${steps}.size() > 0`,
    say: {
      message: `\`${field}\` means nothing without \`steps\`; add for example \`steps: [{ weight: 5 }, { weight: 50 }]\`, or remove it`,
    },
  })),
]
