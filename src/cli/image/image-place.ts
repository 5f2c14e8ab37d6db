import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { TowlineError } from '../../base/errors.ts'
import { type BaseSpec, parseBaseSpec } from '../../image/base/base-spec.ts'
import { openDockerArchive } from '../../image/layout/saved-image.ts'
import { readManifest } from '../../image/oci/document.ts'
import { listBranches } from '../../image/oci/image-tree.ts'
import { readLayout } from '../../image/layout/oci-layout.ts'
import type { ImageShelf } from '../../image/layout/reference-list.ts'
import type { BlobReader } from '../../image/oci/blobs.ts'
import { type Descriptor, isManifestType } from '../../image/oci/descriptor.ts'
import { specFolder } from '../../store/spec-folder.ts'

export type ImagePlace = Exclude<BaseSpec, { readonly kind: 'Scratch' }>

/** `oci:DIR[:NAME]`, `docker-archive:FILE`, or a reference such as `reg.example.com/cats:1`. TL_USAGE. */
export function parsePlace(text: string, cwd: string): ImagePlace {
  const place = parseBaseSpec(text, cwd)
  const here = resolve(cwd, text)
  if (place.kind === 'Registry' && (existsSync(here) || /^\.{0,2}\//.test(text)))
    throw new TowlineError('TL_USAGE', `\`${text}\` is a path, and could be meant in two ways`, {
      hint: `write oci:${text} for a folder, docker-archive:${text} for a file`,
    })
  if (place.kind !== 'Scratch') return place
  throw new TowlineError('TL_USAGE', '`scratch` is no image, only a base for one')
}

/** An image on this machine. */
export interface LocalImage {
  readonly root: Descriptor
  readonly blobs: BlobReader
  /** What lies beside it and says something about it: SBOMs. */
  readonly referrers: readonly Descriptor[]
}

export type LocalPlace = Exclude<ImagePlace, { readonly kind: 'Registry' }>

/** TL_IMAGE_MISSING, TL_IMAGE_UNREADABLE. */
export async function openLocalImage(place: LocalPlace): Promise<LocalImage> {
  const shelf = place.kind === 'Layout' ? readLayout(place.folder) : await openDockerArchive(place.file)
  const root = shelf.resolve(place.kind === 'Layout' ? place.name : undefined)
  return { root, blobs: shelf.blobs, referrers: await findReferrers(root, shelf) }
}

/** What a shelf keeps about an image, or about one of the images of an index. */
export async function findReferrers(
  root: Descriptor,
  { blobs, references }: ImageShelf,
): Promise<readonly Descriptor[]> {
  const branches = await listBranches(root, blobs)
  const subjects = new Set([root.digest, ...branches.map(({ descriptor }) => descriptor.digest)])
  const found: Descriptor[] = []
  for (const { name, descriptor } of references()) {
    if (name !== undefined || !isManifestType(descriptor.mediaType)) continue
    const { subject } = await readManifest(descriptor, blobs)
    if (subject !== undefined && subjects.has(subject.digest)) found.push(descriptor)
  }
  return found
}

/** Of a service's model in ModelPack form; a name of a service has no dot. */
export function nameModelPack(service: string): string {
  return `${service}.model`
}

/** The image that `towline build` made for a service, or for the only one, in the nearest folder from here upwards. TL_IMAGE_MISSING. */
export function findBuiltImage(
  cwd: string,
  service: string | undefined,
): { readonly specDir: string; readonly place: ImagePlace & { readonly kind: 'Layout'; readonly name: string } } {
  for (let specDir = cwd; ; specDir = dirname(specDir)) {
    const folder = specFolder(specDir, 'images')
    if (existsSync(join(folder, 'oci-layout')))
      return { specDir, place: { kind: 'Layout', folder, name: service ?? findOnlyService(folder) } }
    if (dirname(specDir) === specDir)
      throw new TowlineError('TL_IMAGE_MISSING', `nothing was built in ${cwd} or a folder above`, {
        hint: 'run `towline build` first, or say where the image is',
      })
  }
}

function findOnlyService(folder: string): string {
  const names = readLayout(folder)
    .references()
    .flatMap(({ name }) => name ?? [])
  const services = [...new Set(names.filter((name) => !name.includes('.')))]
  const [only, another] = services
  if (only !== undefined && another === undefined) return only
  throw new TowlineError('TL_IMAGE_MISSING', `${folder} holds ${services.join(', ') || 'no image'}`, {
    hint: only === undefined ? 'run `towline build`' : 'say which one with --name',
  })
}
