/** Writes one layer and ends: compressing is slow, and two layers use two cores. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorCode, TowlineError } from '../../base/errors.ts'
import { type BuiltLayer, type LayerJob, writeLayer } from './write-layer.ts'

export type FromLayerThread =
  | { readonly kind: 'Written'; readonly layer: BuiltLayer }
  | { readonly kind: 'Failed'; readonly code: ErrorCode; readonly detail: string; readonly hint: string | undefined }

if (parentPort === null) throw new Error('this file is a thread of build-layer.ts')
parentPort.postMessage(await answer(workerData as LayerJob)) // given by build-layer.ts

/** Anything but a `TowlineError` is a bug, and ends the thread with its own stack. */
async function answer(job: LayerJob): Promise<FromLayerThread> {
  try {
    return { kind: 'Written', layer: await writeLayer(job) }
  } catch (error) {
    if (!(error instanceof TowlineError)) throw error
    return { kind: 'Failed', code: error.code, detail: error.detail, hint: error.hint }
  }
}
