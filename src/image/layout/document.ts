import { z } from 'zod'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, isIndexType, isManifestType } from '../oci/descriptor.ts'
import type { ImageConfig, Index, Manifest } from '../oci/manifest.ts'
import { readBlob } from './blob-check.ts'

/** What registries take at most; a larger one is no manifest. */
export const maxDocumentBytes = 4 << 20

// Fields that are not known here stay: an index of others is written back with all that they put into it.
const text = z.string()
const textMap = z.record(text, text)
const digest = text.regex(/^sha256:[0-9a-f]{64}$/, 'is no sha256 digest, the only kind that is read here')

const platformForm = z.looseObject({ os: text, architecture: text, variant: text.optional() })
const descriptorForm = z.looseObject({
  mediaType: text.min(1),
  digest,
  size: z.int().min(0),
  annotations: textMap.optional(),
  platform: platformForm.optional(),
  artifactType: text.optional(),
})
const documentFields = {
  schemaVersion: z.literal(2),
  mediaType: text.optional(),
  artifactType: text.optional(),
  subject: descriptorForm.optional(),
  annotations: textMap.optional(),
}
export const indexForm = z.looseObject({ ...documentFields, manifests: z.array(descriptorForm).default([]) })
const manifestForm = z.looseObject({
  ...documentFields,
  config: descriptorForm,
  layers: z.array(descriptorForm).default([]),
})
export const configForm = z.looseObject({
  os: text.min(1),
  architecture: text.min(1),
  variant: text.optional(),
  created: text.optional(),
  author: text.optional(),
  config: z
    .looseObject({
      User: text.optional(),
      Env: z.array(text).optional(),
      Entrypoint: z.array(text).optional(),
      Cmd: z.array(text).optional(),
      WorkingDir: text.optional(),
      ExposedPorts: z.record(text, z.record(text, z.never())).optional(),
      Labels: textMap.optional(),
      StopSignal: text.optional(),
      Healthcheck: z
        .looseObject({
          Test: z.array(text).default([]),
          Interval: z.number().optional(),
          Timeout: z.number().optional(),
          StartPeriod: z.number().optional(),
          Retries: z.number().optional(),
        })
        .optional(),
    })
    .optional(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest).default([]) }),
  history: z
    .array(
      z.looseObject({
        created: text.optional(),
        created_by: text.optional(),
        comment: text.optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .optional(),
})

/** TL_IMAGE_UNREADABLE for what is no index; also when it says another media type of itself than its descriptor. */
export async function readIndex(descriptor: Descriptor, blobs: BlobReader): Promise<Index> {
  const value = await readDocument(descriptor, blobs, indexForm)
  return { ...value, mediaType: agreeOnType(descriptor, value.mediaType) } as Index
}

export async function readManifest(descriptor: Descriptor, blobs: BlobReader): Promise<Manifest> {
  const value = await readDocument(descriptor, blobs, manifestForm)
  return { ...value, mediaType: agreeOnType(descriptor, value.mediaType) } as Manifest
}

/** Of an image: an artifact's config is something else. */
export async function readImageConfig(descriptor: Descriptor, blobs: BlobReader): Promise<ImageConfig> {
  return (await readDocument(descriptor, blobs, configForm)) as ImageConfig
}

/** Parses and checks one document. `place` is what a failure names: TL_IMAGE_UNREADABLE. */
export function parseDocument<Form extends z.ZodType>(bytes: Uint8Array, form: Form, place: string): z.output<Form> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new TowlineError('TL_IMAGE_UNREADABLE', `${place} is no JSON (${(cause as Error).message})`, { cause })
  }
  const { data, error } = form.safeParse(withoutNulls(value))
  if (error === undefined) return data
  const [issue] = error.issues
  const where = issue?.path.join('.') || 'its content'
  throw new TowlineError('TL_IMAGE_UNREADABLE', `${place}: ${where}: ${issue?.message ?? 'is not understood'}`)
}

async function readDocument<Form extends z.ZodType>(
  descriptor: Descriptor,
  blobs: BlobReader,
  form: Form,
): Promise<z.output<Form>> {
  const bytes = await readBlob(descriptor, blobs.open(descriptor), maxDocumentBytes)
  return parseDocument(bytes, form, `${descriptor.digest} (${descriptor.mediaType})`)
}

/** Many writers leave the field out, as the descriptor has it. */
function agreeOnType(descriptor: Descriptor, mediaType: string | undefined): string {
  if (mediaType === undefined || mediaType === descriptor.mediaType) return descriptor.mediaType
  const isKnown = isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType)
  if (!isKnown) return mediaType
  throw new TowlineError(
    'TL_IMAGE_UNREADABLE',
    `${descriptor.digest} says it is ${mediaType}, and what leads to it says ${descriptor.mediaType}`,
  )
}

/** Writers in Go put null where nothing is. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (value === null || typeof value !== 'object') return value
  const kept = Object.entries(value).filter(([, item]) => item !== null)
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)]))
}
