import { z } from 'zod'
import { byteQuantity, cpuQuantity, dnsLabel, duration, objectName, plainText, reference } from './scalar.ts'

export const model = z
  .strictObject({
    uri: plainText(2048)
      .min(1)
      .describe(
        'A folder with model.onnx and maybe card.yaml, or a single file; sealed: oci, s3, gs, https, hf, pvc or image.',
      ),
    digest: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, 'use sha256: and 64 lower-case hexadecimal digits')
      .describe('Digest of the file, or of the tree of a folder.')
      .optional(),
    format: z
      .enum(['onnx', 'tensorflow', 'tfjs', 'sklearn', 'xgboost', 'pytorch', 'safetensors'])
      .describe('Format of the artefact; told from the files when left out.')
      .optional(),
    name: dnsLabel(63).describe('/v2/models/<name>; metadata.name when left out. Immutable.').optional(),
    delivery: z.enum(['Image', 'Download', 'Mount']).describe('How the model reaches a pod.').optional(),
    auth: z
      .strictObject({ secretRef: reference('Secret with the credentials of the store.') })
      .describe("Absent: the pod's own identity.")
      .optional(),
    cache: z
      .strictObject({ persistentVolumeClaim: reference('Claim that keeps downloaded models.') })
      .describe('Where downloads are kept.')
      .optional(),
  })
  .describe('[R] The model: one digest, one unit of rollout.')

const port = z.int().min(1).max(65_535)

export const runtime = z
  .strictObject({
    onnx: z
      .strictObject({
        threads: z.int().min(0).max(1024).describe('Threads of one session; 0: one session for each core.').optional(),
      })
      .optional(),
    app: z
      .strictObject({
        entrypoint: plainText(253)
          .regex(/^[\w.]+:[\w.]+$/, 'use module:application')
          .describe('module:application'),
      })
      .optional(),
    container: z.strictObject({ port: port.describe('Port the container listens on.') }).optional(),
    tensorflow: z.strictObject({}).optional(),
    triton: z.strictObject({}).optional(),
    vllm: z.strictObject({ args: z.array(plainText(1024)).max(64).optional() }).optional(),
  })
  .describe('[R] Exactly one; chosen from the format when left out.')

const keyReference = z.strictObject({ name: objectName, key: z.string().min(1).max(253) })

export const environment = z
  .array(
    z.strictObject({
      name: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'use letters, digits and `_`, the first no digit'),
      value: z
        .string()
        .max(32_768)
        .refine((text) => !text.includes('\0'), { error: 'a value cannot hold a NUL character' })
        .optional(),
      valueFrom: z
        .strictObject({ secretKeyRef: keyReference.optional(), configMapKeyRef: keyReference.optional() })
        .optional(),
    }),
  )
  .max(128)
  .describe('[R] As in a pod; locally the references resolve from --env-file.')

export const build = z
  .strictObject({
    base: plainText(512).describe('Base image.').optional(),
    python: z
      .string()
      .regex(/^3\.[0-9]{1,2}$/, 'use a version such as "3.12"')
      .describe('Version of Python, in quotes.')
      .optional(),
    requirements: plainText(1024).describe('Requirements or lock file.').optional(),
  })
  .describe('Recipe for `towline build`; never acted on in a cluster.')

export const serving = z
  .strictObject({
    timeout: duration('Longest time for one answer.').optional(),
    maxBody: byteQuantity('Largest request body.', 1).optional(),
    maxQueuedRows: z
      .int()
      .min(1)
      .max(1_000_000)
      .describe('Rows that may wait; beyond it 503 with Retry-After.')
      .optional(),
    batching: z
      .strictObject({
        mode: z.enum(['Auto', 'Disabled', 'Fixed']).describe('Auto is measured at load.'),
        maxRows: z.int().min(2).max(65_536).describe('Fixed only: most rows in one run.').optional(),
        maxDelay: duration('Fixed only: longest wait for more rows.').optional(),
      })
      .optional(),
  })
  .describe('[R] How requests are answered.')

export const resources = z
  .strictObject({
    cpu: cpuQuantity('Request, and the number of threads.').optional(),
    memory: byteQuantity('Request and limit.', 1024 * 1024).optional(),
    cpuLimit: cpuQuantity('Limit of CPU; usually none.').optional(),
  })
  .describe('[R] What one replica may use.')

export const gpu = z
  .strictObject({
    count: z.int().min(1).max(64).describe('Devices for one replica.').optional(),
    minMemory: byteQuantity('Memory that a device must have.', 1024 * 1024).optional(),
    minComputeCapability: z
      .string()
      .regex(/^[0-9]{1,2}\.[0-9]$/, 'use a version such as "8.0"')
      .describe('In quotes, such as "8.0".')
      .optional(),
    sharing: z.enum(['Exclusive', 'Shared']).optional(),
    mig: z
      .string()
      .max(32)
      .regex(/^[1-7]g\.[0-9]{1,3}gb(\+me)?$/, 'use a profile such as 1g.10gb')
      .describe('MIG profile instead of whole devices.')
      .optional(),
    resourceName: plainText(253)
      .regex(/^[a-z0-9.-]+\/[A-Za-z0-9._-]+$/, 'use a name such as nvidia.com/gpu')
      .describe('Resource of a device plugin.')
      .optional(),
  })
  .describe('[R] Selects GPU devices.')

export const lifecycle = z
  .strictObject({
    startupTimeout: duration('Longest time until a replica is ready.').optional(),
    drainTimeout: duration('Time a stopping replica has to answer what it owes.').optional(),
  })
  .describe('[R] Probes, preStop and grace are computed from these.')
