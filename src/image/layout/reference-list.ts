import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import type { Descriptor } from '../oci/descriptor.ts'

/** Images that lie in one place on disk: a layout or an archive. */
export interface ImageShelf {
  readonly blobs: BlobReader
  references(): readonly NamedReference[]
  /** The image of this name; without one the only image. TL_IMAGE_MISSING lists those that are there. */
  resolve(name?: string): Descriptor
}

export interface NamedReference {
  /** Undefined for what is kept without one, as SBOMs are. */
  readonly name: string | undefined
  readonly descriptor: Descriptor
}

export const nameKey = 'org.opencontainers.image.ref.name'

export function nameOf(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[nameKey]
}

/** The same entry under this name, or under none. */
export function withName(descriptor: Descriptor, name: string | undefined): Descriptor {
  const { annotations = {}, ...rest } = descriptor
  const { [nameKey]: _, ...others } = annotations
  const all = name === undefined ? others : { ...others, [nameKey]: name }
  return Object.keys(all).length === 0 ? rest : { ...rest, annotations: all }
}

/** `place` is what a failure names. */
export function chooseReference(
  references: readonly NamedReference[],
  name: string | undefined,
  place: string,
): Descriptor {
  const named = references.filter((reference) => reference.name !== undefined)
  const candidates = name === undefined && named.length === 0 ? references : named
  const fitting = candidates.filter((reference) => name === undefined || reference.name === name)
  const [first] = fitting
  if (first !== undefined && new Set(fitting.map(({ descriptor }) => descriptor.digest)).size === 1)
    return first.descriptor
  const names = candidates.map((reference) => reference.name ?? reference.descriptor.digest)
  const list = oneLine(names.join(', ')) || 'no image'
  if (name === undefined)
    throw new TowlineError(
      'TL_IMAGE_MISSING',
      `${place} holds ${list}`,
      candidates.length > 1 ? { hint: 'say which one is meant' } : {},
    )
  const why = fitting.length > 1 ? `${fitting.length} images are called ${name}` : `none is called ${name}`
  throw new TowlineError('TL_IMAGE_MISSING', `${place} holds ${list}; ${why}`)
}
