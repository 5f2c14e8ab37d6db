import { TowlineError } from '../../base/errors.ts'
import { choosePlatform } from '../../image/oci/platform-choice.ts'
import { listBranches } from '../../image/oci/image-tree.ts'
import { writeDockerArchive } from '../../image/layout/docker-archive.ts'
import { openLayout } from '../../image/layout/oci-layout.ts'
import { planPush } from '../../image/registry/push.ts'
import { type Platform, formatPlatform } from '../../image/oci/descriptor.ts'
import { type LocalImage, type LocalPlace, parsePlace } from './image-place.ts'

/** TL_USAGE for a registry: images are pushed there. */
export function parseOutput(text: string, cwd: string): LocalPlace {
  const place = parsePlace(text, cwd)
  if (place.kind !== 'Registry') return place
  throw new TowlineError('TL_USAGE', `\`${text}\` is neither oci:DIR nor docker-archive:FILE`, {
    hint: 'a registry is pushed to, with `towline push` or --push',
  })
}

/** What an image is called where it is written. */
export interface ImageName {
  readonly name: string
  /** Undefined for one that is known by its digest alone: Docker would refuse any name made of that. */
  readonly tag: string | undefined
}

/** Copies an image that lies on this machine. */
export async function writeImage(
  { root, blobs, referrers }: LocalImage,
  place: LocalPlace,
  { name, tag }: ImageName,
  platform?: Platform,
): Promise<void> {
  if (place.kind === 'Archive') {
    const names = tag === undefined ? [] : [`${name}:${tag}`]
    const branches = await listBranches(root, blobs)
    if (branches.length > 1 && platform === undefined) {
      const list = branches.map(({ descriptor }) =>
        descriptor.platform === undefined ? '?' : formatPlatform(descriptor.platform),
      )
      throw new TowlineError('TL_USAGE', `docker-archive holds one image, and this is ${list.join(' and ')}`, {
        hint: 'name one with --platform, or write oci:DIR',
      })
    }
    const [only] = branches
    const manifest =
      platform === undefined ? only?.manifest : (await choosePlatform(root, platform, blobs, name)).manifest
    if (manifest === undefined) throw new TowlineError('TL_IMAGE_UNREADABLE', `${root.digest} leads to no image`)
    return await writeDockerArchive(place.file, { manifest, blobs, names })
  }
  const layout = openLayout(place.folder)
  for (const artifact of [root, ...referrers]) {
    const { layers, configs, manifests } = await planPush(artifact, blobs)
    for (const descriptor of [...layers, ...configs]) await layout.blobs.put(descriptor, blobs.open(descriptor))
    for (const { descriptor, bytes } of manifests) await layout.blobs.put(descriptor, [bytes])
  }
  await layout.setReference(place.name ?? name, root)
  for (const referrer of referrers) await layout.setReference(undefined, referrer)
}
