import type { Refusal } from './refusal.ts'

const steps = [{ weight: 5, bake: '1m' }, { weight: 50 }]
const autoscaling = { maxReplicas: 4, targets: { concurrency: 4 } }

export const ofRollouts: readonly Refusal[] = [
  {
    name: 'weights that do not rise',
    spec: { rollout: { steps: [{ weight: 25 }, { weight: 5 }] } },
    field: 'spec.rollout.steps',
    words: /the weights \[25, 5\] do not rise/,
  },
  {
    name: 'a weight twice',
    spec: { rollout: { steps: [{ weight: 5 }, { weight: 5 }] } },
    field: 'spec.rollout.steps',
    words: /the weights \[5, 5\] do not rise/,
  },
  { name: 'a weight of all', spec: { rollout: { steps: [{ weight: 100 }] } }, field: 'spec.rollout.steps[0].weight' },
  {
    name: 'a step that bakes and pauses',
    spec: { rollout: { steps: [{ weight: 5, bake: '1m', pause: 'Manual' }] } },
    field: 'spec.rollout.steps[0].pause',
  },
  { name: 'a canary of nothing', spec: { rollout: { steps, surge: 'Recreate' } }, field: 'spec.rollout.surge' },
  { name: 'a swap of one', spec: { rollout: { surge: 'Swap' } }, field: 'spec.rollout.surge' },
  { name: 'a swap of a fixed one', spec: { replicas: 1, rollout: { surge: 'Swap' } }, field: 'spec.rollout.surge' },
  {
    name: 'a swap of perhaps one',
    spec: { autoscaling, rollout: { surge: 'Swap' } },
    field: 'spec.rollout.surge',
  },
  {
    name: 'an environment that is a file',
    spec: { rollout: { requires: [{ environment: 'test' }] } },
    field: 'spec.rollout.requires[0].environment',
  },
  {
    name: 'an environment twice',
    spec: { rollout: { requires: [{ environment: 'a' }, { environment: 'a' }] } },
    field: 'spec.rollout.requires[1]',
    words: /Duplicate value/,
  },
  {
    name: 'every answer too slow',
    spec: { rollout: { steps, analysis: { latency: { slowerThan: '0s' } } } },
    field: 'spec.rollout.analysis.latency.slowerThan',
  },
  {
    name: 'an analysis shorter than its steps',
    spec: { rollout: { steps, analysis: { maxTime: '2m' } } },
    field: 'spec.rollout.steps',
    words: /the steps bake for 180s, and the analysis is over after 2m/,
  },
  ...Object.entries({ bake: '1m', analysis: {}, onInconclusive: 'Pause', onNoTraffic: 'Pause', warmRevisions: 1 }).map(
    ([field, value]) => ({
      name: `${field} without steps`,
      spec: { rollout: { [field]: value } },
      field: `spec.rollout.${field}`,
    }),
  ),
]
