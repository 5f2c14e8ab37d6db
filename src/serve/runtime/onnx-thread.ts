/**
 * One ONNX Runtime session on a thread of its own: a run blocks its thread for as long as it takes. The thread ends by
 * releasing its session and closing its port; terminating it in the middle of a run would abort the whole process.
 */
import { stripVTControlCharacters } from 'node:util'
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node'
import type { Tensor, TensorSpec } from '../../oip/tensor.ts'
import { buffersOf, datatypeOf, describeValue, onnxTypes } from './onnx-types.ts'

export interface OnnxThreadData {
  readonly modelFile: string
  readonly threads: number
  readonly warmupRuns: number
}

export type ToOnnxThread =
  | {
      readonly kind: 'Run'
      readonly id: number
      readonly inputs: readonly Tensor[]
      readonly outputs: readonly string[] | undefined
    }
  | { readonly kind: 'Close' }

export type FromOnnxThread =
  | {
      readonly kind: 'Ready'
      readonly inputs: readonly TensorSpec[]
      readonly outputs: readonly TensorSpec[]
      readonly warmupMs: number
    }
  | { readonly kind: 'Unloadable'; readonly reason: string }
  | { readonly kind: 'Started'; readonly id: number }
  | {
      readonly kind: 'Done'
      readonly id: number
      readonly outputs: readonly Tensor[]
      readonly inferenceMs: number
      readonly buffers: readonly ArrayBuffer[]
    }
  | { readonly kind: 'Failed'; readonly id: number; readonly reason: string }

const port = parentPort ?? failAsMain()
const { modelFile, threads, warmupRuns } = workerData as OnnxThreadData // given by onnx-runtime.ts
const session = await load()
if (session === undefined) port.close()
else {
  port.on('message', (message: ToOnnxThread) => {
    if (message.kind === 'Close') void session.release().then(() => port.close())
    else void answer(session, message)
  })
}

async function load(): Promise<InferenceSession | undefined> {
  try {
    const opened = await InferenceSession.create(modelFile, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 4,
      extra: { session: { set_denormal_as_zero: '1' } },
    })
    const inputs = opened.inputMetadata.map(describeValue)
    const outputs = opened.outputMetadata.map(describeValue)
    const faults = [...inputs, ...outputs].filter((spec) => typeof spec === 'string')
    if (faults.length > 0) {
      await opened.release()
      send({ kind: 'Unloadable', reason: `it has values that cannot be served: ${faults.join(', ')}` })
      return undefined
    }
    const specs = {
      inputs: inputs.filter((spec) => typeof spec !== 'string'),
      outputs: outputs.filter((spec) => typeof spec !== 'string'),
    }
    send({ kind: 'Ready', ...specs, warmupMs: await warmUp(opened, specs.inputs) })
    return opened
  } catch (error) {
    send({ kind: 'Unloadable', reason: reasonOf(error) })
    return undefined
  }
}

/** The first runs are slow and must not meet a caller. Zeros, every open dimension 1; a model that refuses zeros is served all the same. */
async function warmUp(opened: InferenceSession, inputs: readonly TensorSpec[]): Promise<number> {
  const feeds: Record<string, OnnxTensor> = {}
  for (const { name, datatype, shape } of inputs) {
    const dims = shape.map((size) => (size === -1 ? 1 : size))
    const count = dims.reduce((product, size) => product * size, 1)
    const type = onnxTypes[datatype as keyof typeof onnxTypes] // describeValue gave it from this table
    feeds[name] =
      type === 'string' ? new OnnxTensor('string', Array<string>(count).fill(''), dims) : createZeros(type, count, dims)
  }
  const timesMs: number[] = []
  try {
    for (let run = 0; run < warmupRuns; run++) {
      const startMs = performance.now()
      await opened.run(feeds)
      timesMs.push(performance.now() - startMs)
      // A slow model is warm after one run, and its service should not wait for more.
      if (timesMs[0] !== undefined && timesMs[0] > 2000) break
    }
  } catch {
    return 0
  }
  return timesMs.slice(timesMs.length > 1 ? 1 : 0).toSorted((a, b) => a - b)[Math.floor((timesMs.length - 1) / 2)] ?? 0
}

function createZeros(
  type: Exclude<(typeof onnxTypes)[keyof typeof onnxTypes], 'string'>,
  count: number,
  dims: number[],
): OnnxTensor {
  const wide = type === 'int64' ? new BigInt64Array(count) : type === 'uint64' ? new BigUint64Array(count) : undefined
  if (wide !== undefined) return new OnnxTensor(wide, dims)
  const kinds = {
    bool: Uint8Array,
    uint8: Uint8Array,
    uint16: Uint16Array,
    uint32: Uint32Array,
    int8: Int8Array,
    int16: Int16Array,
    int32: Int32Array,
    float16: Uint16Array,
    float32: Float32Array,
    float64: Float64Array,
  }
  return wrap(type, new kinds[type as keyof typeof kinds](count), dims) // the two wide kinds are done above
}

async function answer(
  opened: InferenceSession,
  { id, inputs, outputs }: Extract<ToOnnxThread, { kind: 'Run' }>,
): Promise<void> {
  send({ kind: 'Started', id })
  try {
    const feeds: Record<string, OnnxTensor> = {}
    for (const { name, datatype, shape, data } of inputs) {
      feeds[name] = wrap(onnxTypes[datatype as keyof typeof onnxTypes], data, shape) // the model's own datatypes
    }
    const startMs = performance.now()
    const results = await opened.run(feeds, outputs === undefined ? [...opened.outputNames] : [...outputs])
    const inferenceMs = performance.now() - startMs
    const buffers = buffersOf(inputs)
    const tensors = Object.entries(results).map(([name, value]) => unwrap(name, value))
    send({ kind: 'Done', id, outputs: tensors, inferenceMs, buffers }, buffers)
  } catch (error) {
    send({ kind: 'Failed', id, reason: reasonOf(error) })
  }
}

/** Any data that fits its type: the constructor's overloads cannot say so for a type known only at run time. */
function wrap(type: string, data: Tensor['data'], dims: readonly number[]): OnnxTensor {
  return new OnnxTensor(type as 'float32', data as Float32Array, [...dims])
}

function unwrap(name: string, value: OnnxTensor): Tensor {
  const datatype = datatypeOf(value.type)
  if (datatype === undefined) throw new Error(`output \`${name}\` has element type ${value.type}`)
  return { name, datatype, shape: [...value.dims], data: value.data } as Tensor // the runtime's data fits its own type
}

/** The runtime's message without its source places, C++ signatures and colours. */
function reasonOf(error: unknown): string {
  const text = stripVTControlCharacters(error instanceof Error ? error.message : String(error))
  const plain = text
    .replace(/^.*?Load model from .*? failed:\s*/s, '')
    .replaceAll(/\S*\.(?:cc|h):\d+\s[^(]*\([^)]*\)\s*/g, '')
    .replaceAll(/\[ONNXRuntimeError\][ :\d]*/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return (plain === '' ? text : plain).slice(0, 400)
}

function send(message: FromOnnxThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

function failAsMain(): never {
  throw new Error('onnx-thread runs only as a worker thread')
}
