import { availableParallelism } from 'node:os'
import { renderDiagnostic } from '../base/diagnostic.ts'
import { TowlineError } from '../base/errors.ts'
import type { ModelSignature, Tensor } from '../oip/tensor.ts'
import type { ModelCard } from '../spec/model/card.ts'
import { loadCard } from '../spec/model/load-card.ts'
import { type BufferPool, createBufferPool } from './buffer-pool.ts'
import { type DecodeImage, openImageDecoder } from './input/image.ts'
import { findModelFiles, printModel } from './model-files.ts'
import type { ReplicaConfig } from './replica-config.ts'
import { openOnnxRuntime } from './runtime/onnx-runtime.ts'
import type { Runtime } from './runtime/runtime.ts'

/** A model ready to answer, with all that its routes need. */
export interface LoadedModel {
  readonly name: string
  readonly signature: ModelSignature
  readonly runtime: Runtime
  readonly card: { readonly card: ModelCard; readonly decode: DecodeImage; readonly classes: number } | undefined
  readonly print: { readonly sha256: string; readonly sizeBytes: number }
  readonly maxBodyBytes: number
  readonly buffers: BufferPool
  countRows(inputs: readonly Tensor[]): number
  inferenceDone(queueMs: number, inferenceMs: number, rows: number): void
}

export interface ModelEvents {
  readonly inferenceDone: LoadedModel['inferenceDone']
  readonly onWorkerLost: (error: Error) => void
}

/** Opens sessions, warms them up and checks the card against them. Throws TL_MODEL_… or TL_CARD_INVALID. */
export async function loadModel(
  config: ReplicaConfig,
  { inferenceDone, onWorkerLost }: ModelEvents,
): Promise<LoadedModel> {
  const { modelFile, cardFile } = findModelFiles(config.modelPath)
  const card = cardFile === undefined ? undefined : await readCard(cardFile)
  const { workers, threadsPerWorker, timeoutMs, maxQueuedRows, maxBodyBytes } = config
  const [runtime, print] = await Promise.all([
    openOnnxRuntime({ modelFile, workers, threadsPerWorker, timeoutMs, maxQueuedRows, onWorkerLost }),
    printModel(modelFile),
  ])
  try {
    const signature = { name: config.modelName, ...runtime.signature }
    const batched = signature.inputs.every(({ shape }) => shape[0] === -1)
    return {
      name: config.modelName,
      signature,
      runtime,
      card:
        card === undefined
          ? undefined
          : {
              card,
              classes: checkCard(card, signature),
              decode: limitDecoding(await openImageDecoder(card.image), workers + 1),
            },
      print,
      maxBodyBytes,
      buffers: createBufferPool(workers * 4 + 4),
      countRows: (inputs) => (batched ? (inputs[0]?.shape[0] ?? 1) : 1),
      inferenceDone,
    }
  } catch (error) {
    await runtime.close()
    throw error
  }
}

async function readCard(cardFile: string): Promise<ModelCard> {
  const { card, diagnostics } = await loadCard(cardFile)
  if (card === undefined) throw new TowlineError('TL_CARD_INVALID', diagnostics.map(renderDiagnostic).join('\n'))
  return card
}

/** The number of classes. What the card says must fit what the model has, before the first photo comes. */
function checkCard(card: ModelCard, { inputs, outputs }: ModelSignature): number {
  const { image, labels } = card
  const names = (specs: ModelSignature['inputs']): string => specs.map(({ name }) => name).join(', ')
  const input = inputs.find(({ name }) => name === image.input)
  const wanted = image.layout === 'NCHW' ? [1, 3, image.height, image.width] : [1, image.height, image.width, 3]
  if (input === undefined) throw misfit(`image.input is \`${image.input}\`; the model's inputs are ${names(inputs)}`)
  if (inputs.length > 1)
    throw misfit(`the model has ${inputs.length} inputs (${names(inputs)}); a photo fills only one`)
  const fits =
    input.datatype === 'FP32' &&
    input.shape.length === 4 &&
    input.shape.every((size, at) => size === -1 || size === wanted[at])
  if (!fits)
    throw misfit(
      `a photo becomes FP32 [${wanted.join(',')}]; the model's input takes ${input.datatype} [${input.shape.join(',')}]`,
    )
  const output = outputs.find(({ name }) => name === card.output)
  if (output === undefined) throw misfit(`output is \`${card.output}\`; the model's outputs are ${names(outputs)}`)
  if (output.datatype !== 'FP32' && output.datatype !== 'FP64')
    throw misfit(`output \`${card.output}\` is ${output.datatype}; scores must be FP32 or FP64`)
  const classes = output.shape.at(-1) ?? -1
  if (classes !== -1 && classes !== labels.length)
    throw misfit(`there are ${labels.length} labels, and the model's output has ${classes} classes`)
  return labels.length
}

function misfit(detail: string): TowlineError {
  return new TowlineError('TL_CARD_INVALID', `the card does not fit the model: ${detail}`, {
    hint: 'mend card.yaml; `towline init` writes one that fits',
  })
}

/** At most `limit` photos are decoded at a time: more would only take the cores from the model. */
function limitDecoding(decode: DecodeImage, limit: number): DecodeImage {
  let running = 0
  const max = Math.min(limit, availableParallelism() + 1)
  const waiting: (() => void)[] = []
  return async (bytes) => {
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await decode(bytes)
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
