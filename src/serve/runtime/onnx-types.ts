import type { Datatype, Tensor, TensorSpec } from '../../oip/tensor.ts'

/** ONNX Runtime's element types by the protocol's. */
export const onnxTypes = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Partial<Record<Datatype, string>>

const datatypesByOnnx = new Map<string, Datatype>(
  Object.entries(onnxTypes).map(([datatype, type]) => [type, datatype as Datatype]), // its own keys
)

export function datatypeOf(onnxType: string): Datatype | undefined {
  return datatypesByOnnx.get(onnxType)
}

export interface OnnxValue {
  readonly name: string
  readonly isTensor: boolean
  readonly type?: string
  readonly shape?: readonly (number | string)[]
}

/** The protocol's description of a model's value, or what is wrong with it in one phrase. */
export function describeValue(value: OnnxValue): TensorSpec | string {
  if (!value.isTensor) return `\`${value.name}\` is not a tensor (sequence or map)`
  const datatype = datatypeOf(value.type ?? '')
  if (datatype === undefined)
    return `\`${value.name}\` has element type ${value.type}, which the protocol does not know`
  return {
    name: value.name,
    datatype,
    shape: (value.shape ?? []).map((size) => (typeof size === 'number' && size >= 0 ? size : -1)),
  }
}

/** A tensor's buffers, each once: what moves between threads. */
export function buffersOf(tensors: readonly Tensor[]): ArrayBuffer[] {
  return [...new Set(tensors.flatMap((tensor) => (tensor.datatype === 'BYTES' ? [] : [tensor.data.buffer])))]
}
