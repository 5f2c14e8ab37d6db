import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasErrno, TowlineError } from '../../base/errors.ts'
import { checkBlob } from '../oci/blob-check.ts'
import type { BlobFolder } from '../layout/blob-folder.ts'
import { type Descriptor, isDigest } from '../oci/descriptor.ts'
import type { BuiltLayer } from './write-layer.ts'

export interface LayerPlaces {
  readonly blobs: BlobFolder
  /** A file `KEY.json` for each layer; its time of modification says when it was last used. */
  readonly records: string
  readonly scratch: string
}

const idleMs = 30 * 86_400_000
/** A build that found a layer still has to read it. */
const inUseMs = 3_600_000
const maxBytes = 4 * 2 ** 30

/** What the record says, once the blob that it names was read and is whole; undefined for anything else. */
export async function recallLayer(record: string, blobs: BlobFolder): Promise<BuiltLayer | undefined> {
  const layer = await readRecord(record)
  if (layer === undefined || !(await blobs.has(layer.descriptor.digest))) return undefined
  try {
    const whole = checkBlob(layer.descriptor, blobs.open(layer.descriptor), record)
    while ((await whole.next()).done !== true);
    return layer
  } catch (error) {
    if (error instanceof TowlineError) return undefined
    throw error
  }
}

/**
 * Removes layers that nobody used for 30 days, then those used longest ago until 4 GiB are left; nothing that was used in
 * the last hour. Also drafts and blobs that belong to nobody, when they are an hour old.
 */
export async function pruneLayers({ blobs, records, scratch }: LayerPlaces, nowMs: number): Promise<void> {
  const used = (await listFiles(records)).toSorted((a, b) => b.changedMs - a.changedMs)
  const kept = new Set<string>()
  let keptBytes = 0
  for (const { file, changedMs } of used) {
    const layer = await readRecord(file)
    const ageMs = nowMs - changedMs
    const blob = layer === undefined ? undefined : blobs.pathOf(layer.descriptor.digest)
    const moreBytes = layer === undefined || kept.has(blob ?? '') ? 0 : layer.descriptor.size
    const isFit = ageMs <= idleMs && keptBytes + moreBytes <= maxBytes
    if (blob !== undefined && (isFit || ageMs <= inUseMs)) {
      kept.add(blob)
      keptBytes += moreBytes
    } else await rm(file, { force: true })
  }
  for (const { file, changedMs } of [...(await listFiles(join(blobs.folder, 'sha256'))), ...(await listFiles(scratch))])
    if (!kept.has(file) && nowMs - changedMs > inUseMs) await rm(file, { force: true })
}

async function readRecord(file: string): Promise<BuiltLayer | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    return isLayer(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError || hasErrno(error, 'ENOENT')) return undefined
    throw new TowlineError('TL_FILE_UNREADABLE', `${file} (${String((error as NodeJS.ErrnoException).code)})`, {
      cause: error,
    })
  }
}

function isLayer(value: unknown): value is BuiltLayer {
  const { descriptor, diffId, unpackedBytes } = (value ?? {}) as { [K in keyof BuiltLayer]?: unknown }
  const { mediaType, digest, size } = (descriptor ?? {}) as { [K in keyof Descriptor]?: unknown }
  return (
    typeof mediaType === 'string' &&
    typeof digest === 'string' &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    typeof diffId === 'string' &&
    isDigest(diffId) &&
    Number.isSafeInteger(unpackedBytes)
  )
}

async function listFiles(folder: string): Promise<{ readonly file: string; readonly changedMs: number }[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return []
    throw error
  })
  const found: { file: string; changedMs: number }[] = []
  for (const name of names) {
    const file = join(folder, name)
    // Another process may remove it at this moment.
    const stats = await stat(file).catch(() => undefined)
    if (stats?.isFile() === true) found.push({ file, changedMs: stats.mtimeMs })
  }
  return found
}
