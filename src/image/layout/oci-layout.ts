import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { canonicalJson } from '../../base/canonical.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { explainWrite } from '../../base/file/write-failure.ts'
import { writeFileAtomic } from '../../base/file/atomic-file.ts'
import { readRegularFile } from '../../base/file/regular-file.ts'
import { newShortId } from '../../base/id.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Digest, mediaTypes } from '../oci/descriptor.ts'
import { type BlobFolder, openBlobFolder, readBlobFolder } from './blob-folder.ts'
import { indexForm, parseDocument } from '../oci/document.ts'
import { type Collected, collectBlobs } from './garbage.ts'
import { listBranches } from '../oci/image-tree.ts'
import { type ImageShelf, chooseReference, nameOf, withName } from './reference-list.ts'
import { inTurn } from './turn.ts'

/** An OCI image layout in a folder, for many processes at once. */
export interface OciLayout extends ImageShelf {
  readonly folder: string
  readonly blobs: BlobFolder
  /**
   * Makes `name` lead to `descriptor`, whose blobs must be there (TL_IMAGE_UNREADABLE names one that is not); other names
   * stay. Without a name it is listed once by its digest, as an artifact with a subject is.
   */
  setReference(name: string | undefined, descriptor: Descriptor): Promise<void>
  /** Whether all is there that `setReference` asks for. What is there counts as used now. TL_BLOB_MISMATCH. */
  holds(descriptor: Descriptor): Promise<boolean>
  /**
   * Forgets the entries that nobody used in the 30 days before `nowMs`, and those that lead to nothing. Their blobs go with
   * the garbage. For a cache: whoever built something wants it to stay.
   */
  forgetIdle(nowMs: number): Promise<void>
  /**
   * Removes the blobs that no reference leads to, if nobody touched them for ten minutes before `nowMs`; and artifacts
   * without a name whose subject has gone. Nothing is removed when a document cannot be read: TL_IMAGE_UNREADABLE.
   */
  collectGarbage(nowMs: number): Promise<Collected>
}

/** With all that other writers put into it. */
type IndexFile = Omit<z.output<typeof indexForm>, 'manifests'> & { readonly manifests: readonly Descriptor[] }

const maxIndexBytes = 16 << 20
const idleMs = 30 * 86_400_000
const layoutForm = z.looseObject({ imageLayoutVersion: z.literal('1.0.0') })

/** Makes the folder where there is none. TL_FILE_EXISTS for one that holds something else; TL_IMAGE_UNREADABLE. */
export function openLayout(folder: string, clock: Clock = systemClock): OciLayout {
  if (!existsSync(join(folder, 'oci-layout'))) createLayout(folder)
  const blobFolder = join(folder, 'blobs')
  const blobs = openBlobFolder(blobFolder, clock.nowMs())
  const change = (edit: (index: IndexFile) => Promise<IndexFile>): Promise<void> =>
    inTurn(
      join(folder, '.turn'),
      async (check) => {
        const index = readIndexFile(folder)
        const next = canonicalJson(await edit(index))
        check()
        if (next !== canonicalJson(index)) writeFileAtomic(join(folder, 'index.json'), next)
      },
      clock,
    )
  return {
    ...shelfOf(folder, blobs),
    folder,
    blobs,
    setReference: (name, descriptor) =>
      change(async (index) => {
        const missing = await findMissing(descriptor, blobs)
        if (missing !== undefined)
          throw new TowlineError(
            'TL_IMAGE_UNREADABLE',
            `${folder} does not hold ${missing}, which ${descriptor.digest} needs`,
          )
        return { ...index, manifests: withEntry(index.manifests, name, descriptor) }
      }),
    holds: async (descriptor) => (await findMissing(descriptor, blobs)) === undefined,
    forgetIdle: (nowMs) =>
      change(async (index) => {
        const manifests: Descriptor[] = []
        for (const entry of index.manifests)
          if (nowMs - (await usedAtMs(blobs.pathOf(entry.digest))) <= idleMs) manifests.push(entry)
        return { ...index, manifests }
      }),
    collectGarbage: async (nowMs) => {
      let collected: Collected = { blobs: 0, bytes: 0 }
      await change(async (index) => {
        const { kept, ...counts } = await collectBlobs(index.manifests, blobFolder, nowMs)
        collected = counts
        return { ...index, manifests: kept }
      })
      return collected
    },
  }
}

/** A layout that is only read. TL_IMAGE_MISSING when there is none. */
export function readLayout(folder: string): ImageShelf & { readonly folder: string } {
  if (!existsSync(join(folder, 'oci-layout')))
    throw new TowlineError('TL_IMAGE_MISSING', `${folder} is no OCI layout: it has no file oci-layout`)
  return { ...shelfOf(folder, readBlobFolder(join(folder, 'blobs'))), folder }
}

function shelfOf<Blobs extends BlobReader>(folder: string, blobs: Blobs): ImageShelf & { readonly blobs: Blobs } {
  readDocumentFile(join(folder, 'oci-layout'), layoutForm)
  readIndexFile(folder)
  const references: ImageShelf['references'] = () =>
    readIndexFile(folder).manifests.map((descriptor) => ({ name: nameOf(descriptor), descriptor }))
  return { blobs, references, resolve: (name) => chooseReference(references(), name, folder) }
}

function createLayout(folder: string): void {
  try {
    makeFolder(folder)
    // What another process makes at this moment is ours too; everything else is somebody's own.
    const foreign = readdirSync(folder).find((name) => !/^(oci-layout|index\.json|blobs$|\.turn)/.test(name))
    if (foreign !== undefined)
      throw new TowlineError('TL_FILE_EXISTS', `${folder} holds ${foreign} and is no OCI layout`, {
        hint: 'name an empty folder, or one that does not exist yet',
      })
    createEmptyIndex(join(folder, 'index.json'))
  } catch (cause) {
    throw explainWrite(cause, folder)
  }
  writeFileAtomic(join(folder, 'oci-layout'), canonicalJson({ imageLayoutVersion: '1.0.0' }))
}

/** One by one: where a folder cannot be made though its parent is there, as in /proc, Node's own way never ends. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  if (dirname(folder) !== folder) makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
  }
}

/** Never in the place of one that another process made and has a name in already. */
function createEmptyIndex(file: string): void {
  const draft = `${file}.${newShortId(12)}`
  try {
    writeFileSync(draft, canonicalJson({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] }))
    linkSync(draft, file)
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function withEntry(
  entries: readonly Descriptor[],
  name: string | undefined,
  descriptor: Descriptor,
): readonly Descriptor[] {
  const entry = withName(descriptor, name)
  const isReplaced = (other: Descriptor): boolean =>
    nameOf(other) === name && (name !== undefined || other.digest === descriptor.digest)
  const at = entries.findIndex(isReplaced)
  if (at === -1) return [...entries, entry]
  return entries.flatMap((other, i) => (i === at ? [entry] : isReplaced(other) ? [] : [other]))
}

/** A name must not lead to something that is not there. Of an index some platforms may be missing, not all. */
async function findMissing(root: Descriptor, blobs: BlobFolder): Promise<Digest | undefined> {
  if (!(await blobs.has(root.digest))) return root.digest
  const branches = await listBranches(root, blobs)
  const manifests = branches.flatMap(({ manifest }) => manifest ?? [])
  if (manifests.length === 0) return branches[0]?.descriptor.digest
  for (const { config, layers } of manifests)
    for (const { digest } of [config, ...layers]) if (!(await blobs.has(digest))) return digest
  return undefined
}

/** In milliseconds since 1970, as `BlobFolder.has` leaves it; long ago for a blob that is not there. */
async function usedAtMs(path: string): Promise<number> {
  try {
    return (await stat(path)).ctimeMs
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) return -Infinity
    throw new TowlineError('TL_FILE_UNREADABLE', `${path} (${String((cause as NodeJS.ErrnoException).code)})`, {
      cause,
    })
  }
}

function readIndexFile(folder: string): IndexFile {
  return readDocumentFile(join(folder, 'index.json'), indexForm) as IndexFile
}

function readDocumentFile<Form extends z.ZodType>(file: string, form: Form): z.output<Form> {
  let bytes: Buffer
  try {
    bytes = readRegularFile(file, maxIndexBytes)
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) throw new TowlineError('TL_IMAGE_UNREADABLE', `${file} is missing`, { cause })
    throw new TowlineError('TL_FILE_UNREADABLE', (cause as Error).message, { cause })
  }
  return parseDocument(bytes, form, file)
}
