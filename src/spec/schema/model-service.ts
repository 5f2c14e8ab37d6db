import { z } from 'zod'
import { dnsLabel, objectName, plainText, serviceName } from './scalar.ts'
import { autoscaling, replicas, rollout } from './scaling.ts'
import { build, environment, gpu, lifecycle, model, resources, runtime, serving } from './serving.ts'
import { expose, observability, pod } from './surroundings.ts'

const labels = z.record(
  z.string().min(1).max(317),
  z
    .string()
    .max(63)
    .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/),
)

/** The file form of a `ModelService`: strict, every field described. `[R]` marks what makes a new revision. */
export const modelServiceSchema = z
  .strictObject({
    apiVersion: z.literal('towline.dev/v1alpha1'),
    kind: z.literal('ModelService'),
    metadata: z.strictObject({
      name: serviceName.describe('Name of the service: at most 40 characters, a DNS label that begins with a letter.'),
      namespace: dnsLabel(63).optional(),
      labels: labels.optional(),
      annotations: z.record(z.string().min(1).max(317), z.string().max(65_536)).optional(),
    }),
    spec: z.strictObject({
      profile: objectName.describe('[R] ServiceProfile with the defaults of the platform.').optional(),
      paused: z.boolean().describe('true: no new rollout starts; scaling and repair go on.').optional(),
      model,
      runtime: runtime.optional(),
      image: plainText(1024).min(1).describe('[R] Image by digest.').optional(),
      build: build.optional(),
      env: environment.optional(),
      serving: serving.optional(),
      resources: resources.optional(),
      gpu: gpu.optional(),
      replicas: replicas.optional(),
      autoscaling: autoscaling.optional(),
      lifecycle: lifecycle.optional(),
      rollout: rollout.optional(),
      expose: expose.optional(),
      pod: pod.optional(),
      observability: observability.optional(),
    }),
  })
  .describe('One model served as one service.')

/** What a person writes: everything but the name and the model may be left out. */
export type ModelServiceDocument = z.infer<typeof modelServiceSchema>
