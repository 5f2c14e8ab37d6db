import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { hashOf } from '../../base/canonical.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { writeFileAtomic } from '../../base/file/atomic-file.ts'
import { type BlobFolder, openBlobFolder } from '../layout/blob-folder.ts'
import { buildLayer, type LayerStore } from './build-layer.ts'
import { arrangeEntries, type LayerEntry } from './entry.ts'
import { gzipName } from './gzip.ts'
import { pruneLayers, recallLayer } from './layer-record.ts'
import { readUnchanged } from './tar-layer.ts'
import type { BuiltLayer, LayerOptions } from './write-layer.ts'

/** Layers that were built before, by what is in them. Safe for two processes at once. */
export interface LayerCache {
  /** The layers that `build` returned. */
  readonly blobs: BlobFolder
  /** The remembered layer of these entries, or a new one. Throws what `buildLayer` throws. */
  build(entries: readonly LayerEntry[], options: LayerOptions, signal?: AbortSignal): Promise<CachedLayer>
  /** Removes what nobody used for 30 days, then the oldest until 4 GiB are left; never what was used in the last hour. */
  prune(nowMs: number): Promise<void>
}

export interface CachedLayer extends BuiltLayer {
  /** False: it had to be built. */
  readonly isRemembered: boolean
}

/** Of the bytes that `packLayer` makes: another name when they change. */
const tarName = 'ustar-1'

/** Of the bytes of every layer with gzip: what is measured with one form says nothing of another. */
export const layerForm = `${tarName} ${gzipName}`

/** Makes the folder where it is missing. TL_FILE_UNWRITABLE, TL_DISK_FULL. */
export function openLayerCache(folder: string, clock: Clock = systemClock): LayerCache {
  const blobs = openBlobFolder(join(folder, 'blobs'), clock.nowMs())
  const places = { blobs, records: join(folder, 'layers'), scratch: join(folder, 'scratch') }
  mkdirSync(places.records, { recursive: true })
  // In place of what may lie there damaged: a rename is seen as the old or the new, and both are the same bytes.
  const store: LayerStore = { adopt: ({ digest }, draft) => rename(draft, blobs.pathOf(digest)) }
  return {
    blobs,
    build: async (entries, options, signal) => {
      const pinned = await pinContents(entries)
      const record = join(places.records, `${keyOf(pinned, options)}.json`)
      const found = await recallLayer(record, blobs)
      const layer = found ?? (await buildLayer(pinned, options, store, places.scratch, signal))
      if (found === undefined) writeFileAtomic(record, JSON.stringify(layer))
      const nowS = clock.nowMs() / 1000
      await utimes(record, nowS, nowS)
      return { ...layer, isRemembered: found !== undefined }
    },
    prune: (nowMs) => pruneLayers(places, nowMs),
  }
}

/** With the hash of each content: a file that changes after this fails the build, and never gets another one's key. */
async function pinContents(entries: readonly LayerEntry[]): Promise<readonly LayerEntry[]> {
  const pinned: LayerEntry[] = []
  for (const entry of arrangeEntries(entries)) {
    if (entry.kind === 'Link' || entry.content.kind === 'Bytes' || entry.content.sha256 !== undefined) {
      pinned.push(entry)
      continue
    }
    const hash = createHash('sha256')
    for await (const chunk of readUnchanged(entry.content)) hash.update(chunk)
    pinned.push({ ...entry, content: { ...entry.content, sha256: hash.digest('hex') } })
  }
  return pinned
}

/** Over everything that the bytes of the layer follow from. */
function keyOf(pinned: readonly LayerEntry[], { compression, mtimeS }: LayerOptions): string {
  const parts = pinned.map((entry) => {
    if (entry.kind === 'Link') return [entry.path, 'link', entry.target]
    const { path, mode, content } = entry
    const sha256 =
      content.kind === 'Bytes' ? createHash('sha256').update(content.bytes).digest('hex') : (content.sha256 ?? '')
    return [path, mode, sha256]
  })
  return hashOf([tarName, compression === 'Gzip' ? gzipName : compression, mtimeS, parts])
}
