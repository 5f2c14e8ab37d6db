import { z } from 'zod'
import { duration, kubernetesObject, objectName, percent, plainText, reference } from './scalar.ts'

export const expose = z
  .strictObject({
    hostnames: z
      .array(
        z
          .string()
          .min(1)
          .max(253)
          .regex(
            /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
            'use a host name such as cats.example.com',
          ),
      )
      .max(16)
      .optional(),
    gatewayRef: z.strictObject({ name: objectName, namespace: objectName.optional() }).optional(),
    apiKeys: z.strictObject({ secretRef: reference('Secret with one key a caller.') }).optional(),
    allowFrom: z.array(kubernetesObject).max(16).describe('Peers as in a NetworkPolicy.').optional(),
  })
  .describe('Absent: reachable from inside only.')

export const pod = z
  .strictObject({
    serviceAccountName: objectName.optional(),
    imagePullSecrets: z
      .array(z.strictObject({ name: objectName }))
      .max(8)
      .optional(),
    nodeSelector: z.record(z.string().max(317), z.string().max(63)).optional(),
    tolerations: z.array(kubernetesObject).max(32).optional(),
    volumes: z
      .array(z.looseObject({ name: objectName }))
      .max(32)
      .optional(),
    mounts: z
      .array(z.looseObject({ name: objectName, mountPath: plainText(1024).min(1) }))
      .max(32)
      .optional(),
    patch: kubernetesObject.describe('Strategic merge on the finished pod.').optional(),
  })
  .describe("[R] Kubernetes' own names; usually empty.")

export const observability = z
  .strictObject({
    traces: z
      .strictObject({
        samplePercent: percent(0, 100),
        endpoint: z
          .string()
          .max(2048)
          .regex(/^https?:\/\/[^\s]+$/, 'use an http:// or https:// address'),
      })
      .optional(),
    payloads: z
      .strictObject({
        samplePercent: percent(0, 100),
        sink: z
          .string()
          .max(2048)
          .regex(/^(s3|gs|https|file):\/\/[^\s]+$/, 'use an s3, gs, https or file address'),
        retention: duration('How long payloads are kept.'),
        redact: z.array(plainText(253).min(1)).max(64).describe('Fields that are not stored; [] for none.'),
      })
      .describe('Absent: nothing is stored. All four together.')
      .optional(),
  })
  .describe('What is recorded of the requests.')
