import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { TowlineError } from '../../base/errors.ts'
import { newShortId } from '../../base/id.ts'
import { beside } from '../../base/process/beside.ts'
import type { BlobFolder } from '../layout/blob-folder.ts'
import type { LayerEntry } from './entry.ts'
import type { FromLayerThread } from './layer-thread.ts'
import { sizeOf } from './tar-layer.ts'
import { type BuiltLayer, type LayerJob, type LayerOptions, writeLayer } from './write-layer.ts'

/** Where a finished layer goes. */
export type LayerStore = Pick<BlobFolder, 'adopt'>

/** A thread takes some 50 ms to start: as long as compressing this much. */
const threadWorthBytes = 2 << 20

/**
 * Packs, hashes and keeps a layer in one pass, its draft in the folder `scratch`. What must be compressed is worked on in a
 * thread of its own: call it for several layers at once. TL_CONTEXT_REFUSED, TL_FILE_MISSING, TL_FILE_UNREADABLE,
 * TL_DISK_FULL, TL_FILE_UNWRITABLE; the signal's reason when it aborts.
 */
export async function buildLayer(
  entries: readonly LayerEntry[],
  options: LayerOptions,
  store: LayerStore,
  scratch: string,
  signal?: AbortSignal,
): Promise<BuiltLayer> {
  signal?.throwIfAborted()
  await mkdir(scratch, { recursive: true })
  const draft = join(scratch, `layer-${process.pid}-${newShortId(10)}.draft`)
  const { compression, mtimeS } = options
  const job: LayerJob = { entries, compression, mtimeS, draft }
  try {
    const layer = isWorthAThread(job) ? await writeInThread(job, signal) : await writeLayer(job)
    signal?.throwIfAborted()
    await store.adopt(layer.descriptor, draft)
    return layer
  } finally {
    await rm(draft, { force: true })
  }
}

function isWorthAThread({ compression, entries }: LayerJob): boolean {
  if (compression === 'None') return false
  const sizes = entries.map((entry) => (entry.kind === 'File' ? sizeOf(entry.content) : 0))
  return sizes.reduce((total, size) => total + size, 0) > threadWorthBytes
}

async function writeInThread(job: LayerJob, signal: AbortSignal | undefined): Promise<BuiltLayer> {
  const worker = new Worker(beside(import.meta.url, 'layer-thread'), { workerData: job })
  const ended = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<BuiltLayer>()
  const abort = (): void => {
    void worker.terminate()
  }
  worker.once('message', (message: FromLayerThread) => {
    if (message.kind === 'Written') answer.resolve(message.layer)
    else
      answer.reject(
        new TowlineError(message.code, message.detail, message.hint === undefined ? {} : { hint: message.hint }),
      )
  })
  worker.once('error', answer.reject)
  worker.once('exit', (code) => {
    // After a message these do nothing.
    answer.reject(signal?.reason ?? new Error(`the thread of a layer ended with ${code} and no answer`))
    ended.resolve()
  })
  signal?.addEventListener('abort', abort)
  try {
    return await answer.promise
  } finally {
    signal?.removeEventListener('abort', abort)
    // The draft is removed next: nothing may still write to it.
    await ended.promise
  }
}
