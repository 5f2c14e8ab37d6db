import { z } from 'zod'
import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import { readBlob } from './blob-check.ts'
import type { BlobReader } from './blobs.ts'
import type { Descriptor } from './descriptor.ts'
import type { ImageConfig, Index, Manifest } from './manifest.ts'

/** What registries take at most, and have to take; a larger one is no manifest. */
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
// One document must not be read as two things, by whom it suits.
const twofold = 'is an index and an image at once'
export const indexForm = z
  .looseObject({ ...documentFields, manifests: z.array(descriptorForm).default([]) })
  .refine((value) => !('config' in value || 'layers' in value), twofold)
const manifestForm = z
  .looseObject({ ...documentFields, config: descriptorForm, layers: z.array(descriptorForm).default([]) })
  .refine((value) => !('manifests' in value), twofold)
const typedForm = z.looseObject({ mediaType: text.optional() })
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

/** `mediaType` is what led here says it is, `place` what a failure names. TL_IMAGE_UNREADABLE, also when it says another type of itself. */
export function parseIndex(bytes: Uint8Array, mediaType: string, place: string): Index {
  const value = parseJson(bytes, place)
  agreeOnType(value, mediaType, place)
  return { ...checkForm(value, indexForm, place), mediaType } as Index
}

/** As `parseIndex`, for an image or an artifact. */
export function parseManifest(bytes: Uint8Array, mediaType: string, place: string): Manifest {
  const value = parseJson(bytes, place)
  agreeOnType(value, mediaType, place)
  return { ...checkForm(value, manifestForm, place), mediaType } as Manifest
}

/** TL_IMAGE_UNREADABLE, TL_BLOB_MISMATCH. */
export async function readManifest(descriptor: Descriptor, blobs: BlobReader): Promise<Manifest> {
  return parseManifest(await readDocument(descriptor, blobs), descriptor.mediaType, placeOf(descriptor))
}

/** As `readManifest`, for an index. */
export async function readIndex(descriptor: Descriptor, blobs: BlobReader): Promise<Index> {
  return parseIndex(await readDocument(descriptor, blobs), descriptor.mediaType, placeOf(descriptor))
}

/** Of an image: an artifact's config is something else. TL_IMAGE_UNREADABLE, TL_BLOB_MISMATCH. */
export async function readImageConfig(descriptor: Descriptor, blobs: BlobReader): Promise<ImageConfig> {
  return parseDocument(await readDocument(descriptor, blobs), configForm, placeOf(descriptor)) as ImageConfig
}

/** The bytes of a document, checked. TL_BLOB_MISMATCH; TL_IMAGE_UNREADABLE for one that is too large. */
export async function readDocument(descriptor: Descriptor, blobs: BlobReader): Promise<Uint8Array> {
  return await readBlob(descriptor, blobs.open(descriptor), maxDocumentBytes)
}

/** What a document says that it is; many writers leave that out. TL_IMAGE_UNREADABLE. */
export function readOwnType(bytes: Uint8Array, place: string): string | undefined {
  return parseDocument(bytes, typedForm, place).mediaType
}

/** Parses and checks one document. `place` is what a failure names: TL_IMAGE_UNREADABLE. */
export function parseDocument<Form extends z.ZodType>(bytes: Uint8Array, form: Form, place: string): z.output<Form> {
  return checkForm(parseJson(bytes, place), form, place)
}

function checkForm<Form extends z.ZodType>(value: unknown, form: Form, place: string): z.output<Form> {
  const { data, error } = form.safeParse(value)
  if (error === undefined) return data
  const [issue] = error.issues
  const where = issue?.path.join('.') || 'its content'
  throw unreadable(place, `: ${oneLine(`${where}: ${issue?.message ?? 'is not understood'}`)}`)
}

function parseJson(bytes: Uint8Array, place: string): unknown {
  try {
    return withoutNulls(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    throw unreadable(place, ` is no JSON (${oneLine((cause as Error).message)})`, cause)
  }
}

/** Many writers leave the field out, as the descriptor has it. */
function agreeOnType(value: unknown, mediaType: string, place: string): void {
  const stated = (value as { readonly mediaType?: unknown } | null)?.mediaType
  // What is no text at all is left to the form.
  if (typeof stated !== 'string' || stated === mediaType) return
  throw unreadable(place, ` says it is ${oneLine(stated)}, and what leads to it says ${oneLine(mediaType)}`)
}

function placeOf({ digest, mediaType }: Descriptor): string {
  return `${digest} (${oneLine(mediaType)})`
}

function unreadable(place: string, why: string, cause?: unknown): TowlineError {
  return new TowlineError('TL_IMAGE_UNREADABLE', `${place}${why}`, { cause })
}

/** Writers in Go put null where nothing is. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (value === null || typeof value !== 'object') return value
  const kept = Object.entries(value).filter(([, item]) => item !== null)
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)]))
}
