/** Tensors of the Open Inference Protocol v2, as plain values. */

export const datatypes = {
  BOOL: { bytes: 1 },
  UINT8: { bytes: 1 },
  UINT16: { bytes: 2 },
  UINT32: { bytes: 4 },
  UINT64: { bytes: 8 },
  INT8: { bytes: 1 },
  INT16: { bytes: 2 },
  INT32: { bytes: 4 },
  INT64: { bytes: 8 },
  FP16: { bytes: 2 },
  BF16: { bytes: 2 },
  FP32: { bytes: 4 },
  FP64: { bytes: 8 },
  /** Strings: 4-byte little-endian length, then the bytes, for each element. */
  BYTES: { bytes: undefined },
} as const

export type Datatype = keyof typeof datatypes

/** What a model declares. -1 in a shape: any size. */
export interface TensorSpec {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: readonly number[]
}

export interface ModelSignature {
  readonly name: string
  readonly platform: string
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

/** Little-endian elements without padding, in row-major order. FP16 and BF16 are raw 16-bit patterns in a Uint16Array. */
export type NumericData =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>

export type Tensor =
  | {
      readonly name: string
      readonly datatype: Exclude<Datatype, 'BYTES'>
      readonly shape: readonly number[]
      readonly data: NumericData
    }
  | {
      readonly name: string
      readonly datatype: 'BYTES'
      readonly shape: readonly number[]
      readonly data: readonly string[]
    }

export interface InferRequest {
  /** Always given back; made where the caller gave none. */
  readonly id: string
  readonly inputs: readonly Tensor[]
  /** The outputs wanted, in order; all when undefined. */
  readonly outputs: readonly RequestedOutput[] | undefined
  /** `binary_data_output`: the default for outputs that do not say. */
  readonly binaryOutput: boolean
}

export interface RequestedOutput {
  readonly name: string
  readonly binary: boolean | undefined
  /** `parameters.classification`: top N classes instead of the tensor; 0: the tensor. */
  readonly classification: number
}
