import { z } from 'zod'
import { dnsLabel, duration, httpAddress, percent, plainText, shareQuantity } from './scalar.ts'

const replicaCount = (least: number) => z.int().min(least).max(1000)
const perReplica = (what: string) => z.int().min(1).max(1_000_000).describe(what).optional()

const scalingRules = (what: string) =>
  z
    .strictObject({
      stabilizationWindowSeconds: z.int().min(0).max(3600).optional(),
      selectPolicy: z.enum(['Max', 'Min', 'Disabled']).optional(),
      policies: z
        .array(
          z.strictObject({
            type: z.enum(['Pods', 'Percent']),
            value: z.int().min(1).max(1_000_000),
            periodSeconds: z.int().min(1).max(1800),
          }),
        )
        .min(1)
        .max(8)
        .optional(),
      tolerance: shareQuantity('By how much of the target a metric may be off before anything moves.').optional(),
    })
    .describe(what)

export const replicas = replicaCount(0).describe('Fixed number of replicas; left out when autoscaled.')

export const autoscaling = z
  .strictObject({
    minReplicas: replicaCount(0).describe('0 needs a target that counts requests.').optional(),
    maxReplicas: replicaCount(1),
    targets: z
      .strictObject({
        cpuPercent: percent(1, 1000).describe('Of resources.cpu.').optional(),
        memoryPercent: percent(1, 100).describe('Of resources.memory.').optional(),
        concurrency: perReplica('Requests in flight for each replica.'),
        requestsPerSecond: perReplica('Requests a second for each replica.'),
        queuedRows: perReplica('Waiting rows for each replica.'),
      })
      .describe('The largest answer wins.')
      .optional(),
    prometheus: z
      .array(
        z.strictObject({
          name: dnsLabel(63),
          query: plainText(4096).min(1),
          perReplica: z.int().min(1).describe('What one replica is meant to carry of the result.'),
          serverAddress: httpAddress('Where Prometheus answers.').optional(),
        }),
      )
      .max(8)
      .optional(),
    behavior: z
      .strictObject({
        scaleUp: scalingRules('Default: the larger of 4 replicas and 100 %, each 15 s.').optional(),
        scaleDown: scalingRules('Default: to the largest size asked for in the last 300 s.').optional(),
      })
      .describe('As in a HorizontalPodAutoscaler, version 2.')
      .optional(),
    burst: z
      .strictObject({
        thresholdPercent: percent(110, 1000).describe('Of what the ready replicas carry; default 200.').optional(),
        window: duration('The short window; default 6s.').optional(),
      })
      .describe('Grow at once when a short window asks for twice what is ready. Needs targets.concurrency.')
      .optional(),
  })
  .describe('Replicas follow the load.')

const tolerance = {
  maxPercentOfStable: percent(100, 10_000).describe('Most, in percent of what the stable revision has.').optional(),
  floorPerThousand: z.int().min(0).max(1000).describe('Always tolerated, of a thousand requests.').optional(),
}

export const rollout = z
  .strictObject({
    steps: z
      .array(
        z.strictObject({
          weight: percent(1, 100).describe('Percent of the requests.'),
          bake: duration('Time to watch at this weight.').optional(),
          pause: z.enum(['Manual']).describe('Waits for `towline promote`.').optional(),
        }),
      )
      .max(20)
      .describe('None: a rolling change.')
      .optional(),
    bake: duration('Time to watch at each step, and at full weight; default 2m.').optional(),
    surge: z.enum(['Auto', 'Surge', 'Swap', 'Recreate']).describe('Where spare capacity comes from.').optional(),
    analysis: z
      .strictObject({
        minRequests: z
          .int()
          .min(1)
          .max(1_000_000)
          .describe('Requests the new revision must have answered at each step; default 200.')
          .optional(),
        maxTime: duration('Without proof after this time the analysis is inconclusive; default 1h.').optional(),
        errors: z.strictObject(tolerance).optional(),
        latency: z.strictObject({ slowerThan: duration('A slower answer counts as slow.'), ...tolerance }).optional(),
      })
      .describe('The new revision against the stable one, on counts.')
      .optional(),
    onFailure: z
      .enum(['Rollback', 'Pause'])
      .describe('Pause takes the weight away and keeps the replicas to look at; default Rollback.')
      .optional(),
    onInconclusive: z
      .enum(['Rollback', 'Pause'])
      .describe('Pause keeps the weight and waits for a person; default Pause.')
      .optional(),
    smoke: z
      .array(plainText(1024).min(1))
      .max(32)
      .describe('Requests sent to a new revision before any weight.')
      .optional(),
    onNoTraffic: z.enum(['Pause']).describe('Silence never passes.').optional(),
    requires: z
      .array(
        z.strictObject({
          environment: dnsLabel(63),
          maxAge: duration('Oldest proof that counts.').optional(),
        }),
      )
      .max(8)
      .describe('Environments that must have passed.')
      .optional(),
    revisionHistoryLimit: z
      .int()
      .min(1)
      .max(100)
      .describe('Earlier revisions that a rollback can go to; default 3.')
      .optional(),
    warmRevisions: z
      .int()
      .min(0)
      .max(10)
      .describe('Earlier revisions that keep their replicas for some minutes after a canary; default 1.')
      .optional(),
  })
  .describe('How a new revision takes over.')
