import type { Refusal } from './refusal.ts'

const scaled = (more: object): object => ({
  maxReplicas: 4,
  targets: { cpuPercent: 70 },
  ...more,
})
const resources = { cpu: 1, memory: '1Gi' }

export const ofScaling: readonly Refusal[] = [
  {
    name: 'the least above the most',
    spec: { autoscaling: scaled({ minReplicas: 5 }), resources },
    field: 'spec.autoscaling.minReplicas',
  },
  {
    name: 'zero without requests',
    spec: { autoscaling: scaled({ minReplicas: 0 }), resources },
    field: 'spec.autoscaling.minReplicas',
  },
  { name: 'no target', spec: { autoscaling: { maxReplicas: 2 } }, field: 'spec.autoscaling' },
  { name: 'empty targets', spec: { autoscaling: { maxReplicas: 2, targets: {} } }, field: 'spec.autoscaling' },
  {
    name: 'burst without requests',
    spec: { autoscaling: scaled({ burst: {} }), resources },
    field: 'spec.autoscaling.burst',
  },
  {
    name: 'a percentage of zero',
    spec: {
      autoscaling: {
        minReplicas: 0,
        maxReplicas: 2,
        targets: { concurrency: 1 },
        behavior: { scaleUp: { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] } },
      },
    },
    field: 'spec.autoscaling.behavior.scaleUp.policies',
  },
  {
    name: 'a share of no cpu',
    spec: { autoscaling: scaled({}), resources: { memory: '1Gi' } },
    field: 'spec.autoscaling.targets.cpuPercent',
  },
  {
    name: 'a share of no memory',
    spec: { autoscaling: scaled({ targets: { memoryPercent: 70 } }) },
    field: 'spec.autoscaling.targets.memoryPercent',
  },
  { name: 'fixed and scaled', spec: { replicas: 2, autoscaling: scaled({}), resources }, field: 'spec.replicas' },
]
