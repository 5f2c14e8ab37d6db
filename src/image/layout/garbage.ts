import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { type Descriptor, type Digest, isDigest, isManifestType } from '../oci/descriptor.ts'
import { readBlobFolder } from './blob-folder.ts'
import { readManifest } from '../oci/document.ts'
import { markReachable } from './reachable.ts'
import { nameOf } from './reference-list.ts'

/** What was removed. */
export interface Collected {
  readonly blobs: number
  readonly bytes: number
}

/** A builder keeps its layers first and names the image last. */
const graceMs = 10 * 60_000

/**
 * Removes the blobs of `folder` that none of `entries` leads to and nobody touched in the ten minutes before `nowMs`. Also
 * says which entries stay: an artifact without a name goes with its subject. The caller keeps others from adding entries.
 */
export async function collectBlobs(
  entries: readonly Descriptor[],
  folder: string,
  nowMs: number,
): Promise<Collected & { readonly kept: readonly Descriptor[] }> {
  const isOld = async (path: string): Promise<boolean> => nowMs - (await stat(path)).ctimeMs > graceMs
  const { kept, reached } = await markEntries(entries, folder, isOld)
  let collected: Collected = { blobs: 0, bytes: 0 }
  for (const hex of await readdir(join(folder, 'sha256'))) {
    const digest = `sha256:${hex}`
    if (!isDigest(digest) || reached.has(digest)) continue
    const path = join(folder, 'sha256', hex)
    try {
      if (!(await isOld(path))) continue
      const { size } = await stat(path)
      await rm(path)
      collected = { blobs: collected.blobs + 1, bytes: collected.bytes + size }
    } catch (cause) {
      if (hasErrno(cause, 'ENOENT')) continue
      throw new TowlineError('TL_FILE_UNWRITABLE', `${path} (${String((cause as NodeJS.ErrnoException).code)})`, {
        cause,
      })
    }
  }
  return { ...collected, kept }
}

async function markEntries(
  entries: readonly Descriptor[],
  folder: string,
  isOld: (path: string) => Promise<boolean>,
): Promise<{ readonly kept: readonly Descriptor[]; readonly reached: ReadonlySet<Digest> }> {
  const blobs = readBlobFolder(folder)
  const reached = new Set<Digest>()
  const followers = new Map<Descriptor, Digest>()
  for (const entry of entries) {
    const isLoose = nameOf(entry) === undefined && isManifestType(entry.mediaType) && (await blobs.has(entry.digest))
    const subject = isLoose ? (await readManifest(entry, blobs)).subject : undefined
    // One about something that never was in here was put in for its own sake.
    if (subject !== undefined && (await blobs.has(subject.digest)) && (await isOld(blobs.pathOf(entry.digest))))
      followers.set(entry, subject.digest)
    else await markReachable(entry, blobs, reached)
  }
  // One may follow another: a signature of an SBOM of an image.
  for (let before = -1; before !== followers.size;) {
    before = followers.size
    for (const [entry, subject] of followers) {
      if (!reached.has(subject)) continue
      followers.delete(entry)
      await markReachable(entry, blobs, reached)
    }
  }
  return { kept: entries.filter((entry) => !followers.has(entry)), reached }
}
