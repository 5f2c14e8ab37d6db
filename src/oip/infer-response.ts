import { TowlineError } from '../base/errors.ts'
import { isNumericDatatype, renderStrings } from './tensor-data.ts'
import type { InferRequest, Tensor } from './tensor.ts'

export interface WireAnswer {
  readonly headers: Readonly<Record<string, string | number>>
  readonly chunks: readonly Uint8Array[]
}

/** The model's outputs in the form the request asked for. `labels` name the classes where `classification` was asked for. */
export function renderInferResponse(answer: {
  readonly modelName: string
  readonly request: InferRequest
  readonly outputs: readonly Tensor[]
  readonly labels?: readonly string[]
}): WireAnswer {
  const { modelName, request, outputs, labels } = answer
  const heads: string[] = []
  const binaries: Uint8Array[] = []
  for (const tensor of outputs) {
    const wanted = request.outputs?.find(({ name }) => name === tensor.name)
    const shown =
      wanted !== undefined && wanted.classification > 0 ? classify(tensor, wanted.classification, labels) : tensor
    const { name, datatype, shape } = shown
    const head = `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(',')}]`
    if (wanted?.binary ?? request.binaryOutput) {
      const bytes = tensorBytes(shown)
      binaries.push(bytes)
      heads.push(`${head},"parameters":{"binary_data_size":${bytes.length}}}`)
    } else heads.push(`${head},"data":${renderData(shown)}}`)
  }
  const json = Buffer.from(
    `{"model_name":${JSON.stringify(modelName)},"id":${JSON.stringify(request.id)},"outputs":[${heads.join(',')}]}`,
  )
  if (binaries.length === 0)
    return { headers: { 'content-type': 'application/json', 'content-length': json.length }, chunks: [json] }
  const length = binaries.reduce((sum, bytes) => sum + bytes.length, json.length)
  const headers = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': json.length,
    'content-length': length,
  }
  return { headers, chunks: [json, ...binaries] }
}

function tensorBytes(tensor: Tensor): Uint8Array {
  if (tensor.datatype === 'BYTES') return renderStrings(tensor.data)
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength)
}

/** JSON has no NaN and no infinity: both become null. 64-bit integers keep every digit. */
function renderData(tensor: Tensor): string {
  if (tensor.datatype === 'BYTES') return JSON.stringify(tensor.data)
  if (tensor.datatype === 'FP16' || tensor.datatype === 'BF16') {
    throw new TowlineError(
      'TL_REQUEST_INVALID',
      `output ${JSON.stringify(tensor.name)} is ${tensor.datatype}, which has no JSON form; ask for it with binary_data: true`,
    )
  }
  if (tensor.datatype === 'BOOL') return JSON.stringify(Array.from(tensor.data as Uint8Array, Boolean)) // one byte each
  if (tensor.data instanceof BigInt64Array || tensor.data instanceof BigUint64Array) return `[${tensor.data.join(',')}]`
  return JSON.stringify(Array.from<number>(tensor.data))
}

/** The `classification` extension: the top classes of each row as `score:index` or `score:index:label`. */
function classify(tensor: Tensor, top: number, labels: readonly string[] | undefined): Tensor {
  const classes = tensor.shape.at(-1) ?? 0
  if (
    !isNumericDatatype(tensor.datatype) ||
    // Their elements are raw 16-bit patterns, whose order is not that of the numbers.
    tensor.datatype === 'FP16' ||
    tensor.datatype === 'BF16' ||
    classes === 0 ||
    tensor.shape.length > 2
  ) {
    throw new TowlineError(
      'TL_REQUEST_INVALID',
      `output ${JSON.stringify(tensor.name)} of shape [${tensor.shape.join(',')}] cannot be classified; it must be one row of scores for each item`,
    )
  }
  const scores = Array.from(tensor.data as ArrayLike<number | bigint>, Number) // numeric, checked above
  const rows = scores.length / classes
  const count = Math.min(top, classes)
  const data: string[] = []
  for (let row = 0; row < rows; row++) {
    const own = scores.slice(row * classes, (row + 1) * classes)
    const order = own.map((_, index) => index).toSorted((a, b) => (own[b] ?? 0) - (own[a] ?? 0) || a - b)
    for (const index of order.slice(0, count)) {
      const label = labels?.[index]
      data.push(`${own[index]?.toFixed(6)}:${index}${label === undefined ? '' : `:${label}`}`)
    }
  }
  return { name: tensor.name, datatype: 'BYTES', shape: tensor.shape.length === 1 ? [count] : [rows, count], data }
}
