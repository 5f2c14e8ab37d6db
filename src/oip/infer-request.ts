import { TowlineError } from '../base/errors.ts'
import { newRequestId } from '../base/id.ts'
import { JsonCursor } from './json-cursor.ts'
import { createStore, readNumbers } from './json-numbers.ts'
import { parseNumbers } from './json-parse-numbers.ts'
import {
  countElements,
  createNumericData,
  elementBytes,
  isNumericDatatype,
  parseStrings,
  viewNumericData,
} from './tensor-data.ts'
import {
  type Datatype,
  type InferRequest,
  type ModelSignature,
  type RequestedOutput,
  type Tensor,
  type TensorSpec,
  datatypes,
} from './tensor.ts'

/** An input as written: its data read at once when shape and type stood before it, otherwise found again at `dataAt`. */
interface RawInput {
  readonly name: string
  readonly shape: readonly number[]
  readonly datatype: Datatype
  readonly binaryBytes: number | undefined
  readonly dataAt: number | undefined
}

const maxInputs = 256
const maxRank = 32

/**
 * Reads an inference request. `headerLength` is the value of `Inference-Header-Content-Length`: undefined for plain JSON,
 * 0 when the whole body is the one input's raw tensor. Tensors are views over `body` wherever alignment allows.
 * Throws TL_REQUEST_INVALID; all limits are checked before anything is allocated for them.
 */
export function parseInferRequest(
  body: Uint8Array<ArrayBuffer>,
  { headerLength, signature }: { headerLength: number | undefined; signature: ModelSignature },
): InferRequest {
  if (headerLength === 0) return parseRaw(body, signature)
  if (headerLength !== undefined && headerLength > body.length) {
    throw invalid(`Inference-Header-Content-Length is ${headerLength}, but the body has only ${body.length} bytes`)
  }
  const cursor = new JsonCursor(body, headerLength)
  let id: string | undefined
  let inputs: RawInput[] | undefined
  let outputs: RequestedOutput[] | undefined
  let binaryOutput = false
  if (cursor.peek() === -1) throw invalid('the body is empty; it must be a JSON object with `inputs`')
  cursor.readObject('the request', (key) => {
    if (key === 'id') id = readId(cursor)
    else if (key === 'inputs') inputs = readInputs(cursor)
    else if (key === 'outputs') outputs = readOutputs(cursor, signature)
    else if (key === 'parameters')
      binaryOutput = readFlag(readParameters(cursor, 'parameters'), 'binary_data_output') ?? false
    else
      throw invalid(
        `${JSON.stringify(key.slice(0, 80))} is not a field of an inference request; known are id, inputs, outputs, parameters`,
      )
  })
  if (cursor.peek() !== -1)
    cursor.fail(
      headerLength === undefined
        ? 'nothing may follow the request'
        : 'the JSON ends before the length its header states',
    )
  if (inputs === undefined) throw invalid('`inputs` is missing')
  return { id: id ?? newRequestId(), inputs: readTensors(cursor, body, inputs, signature), outputs, binaryOutput }
}

/** Where the HTTP layer should place the body (0 to 7 bytes into its buffer), so that the first binary tensor is aligned. */
export function alignBodyOffset(headerLength: number | undefined): number {
  return headerLength === undefined ? 0 : (8 - (headerLength % 8)) % 8
}

function readTensors(
  cursor: JsonCursor,
  body: Uint8Array<ArrayBuffer>,
  inputs: readonly RawInput[],
  signature: ModelSignature,
): Tensor[] {
  let binaryAt = cursor.end
  const tensors = inputs.map((input): Tensor => {
    const spec = signature.inputs.find(({ name }) => name === input.name)
    if (spec === undefined)
      throw invalid(
        `the model has no input ${quote(input.name)}; it has ${list(signature.inputs.map(({ name }) => name))}`,
      )
    const count = checkShape(input, spec)
    if (input.binaryBytes !== undefined) {
      if (input.binaryBytes > body.length - binaryAt) {
        throw invalid(
          `input ${quote(input.name)} claims ${input.binaryBytes} binary bytes, but only ${body.length - binaryAt} are left in the body`,
        )
      }
      const tensor = readBinary(input, count, body.subarray(binaryAt, binaryAt + input.binaryBytes))
      binaryAt += input.binaryBytes
      return tensor
    }
    return readJson(cursor, input, count)
  })
  if (binaryAt !== body.length)
    throw invalid(`${body.length - binaryAt} bytes follow the last tensor and belong to none`)
  const given = new Set(inputs.map(({ name }) => name))
  if (given.size < inputs.length) throw invalid(`an input is given twice: ${list(inputs.map(({ name }) => name))}`)
  const missing = signature.inputs.filter(({ name }) => !given.has(name))
  if (missing.length > 0)
    throw invalid(
      `the model also needs ${missing.length === 1 ? 'input' : 'inputs'} ${list(missing.map(({ name }) => name))}`,
    )
  return tensors
}

function checkShape({ name, shape, datatype }: RawInput, spec: TensorSpec): number {
  const what = `input ${quote(name)}`
  if (datatype !== spec.datatype) throw invalid(`${what} has datatype ${datatype}, the model takes ${spec.datatype}`)
  const fits =
    shape.length === spec.shape.length && shape.every((size, at) => spec.shape[at] === -1 || spec.shape[at] === size)
  if (!fits)
    throw invalid(
      `${what} has shape [${shape.join(',')}], the model takes [${spec.shape.join(',')}]${spec.shape.includes(-1) ? ' (-1: any)' : ''}`,
    )
  const count = countElements(shape)
  if (count === 0) throw invalid(`${what} has shape [${shape.join(',')}]: it holds no element`)
  if (count === Infinity) throw invalid(`${what} has shape [${shape.join(',')}]: more elements than can be counted`)
  return count
}

function readBinary({ name, datatype, shape }: RawInput, count: number, bytes: Uint8Array<ArrayBuffer>): Tensor {
  if (!isNumericDatatype(datatype))
    return { name, datatype, shape, data: parseStrings(bytes, count, `input ${quote(name)}`) }
  const needed = count * elementBytes(datatype)
  if (bytes.length !== needed) {
    throw invalid(
      `input ${quote(name)} has ${bytes.length} binary bytes, its shape [${shape.join(',')}] of ${datatype} needs ${needed}`,
    )
  }
  return { name, datatype, shape, data: viewNumericData(datatype, bytes, 0, count) }
}

function readJson(cursor: JsonCursor, { name, datatype, shape, dataAt }: RawInput, count: number): Tensor {
  const what = `the data of input ${quote(name)}`
  if (dataAt === undefined) throw invalid(`input ${quote(name)} has no \`data\` and no \`parameters.binary_data_size\``)
  if (datatype === 'FP16' || datatype === 'BF16')
    throw invalid(`input ${quote(name)}: ${datatype} has no JSON form; send it with the binary tensor extension`)
  // An element takes a digit and a comma at the least: no allocation that the body cannot fill.
  if (count > cursor.bytes.length)
    throw invalid(
      `input ${quote(name)} has shape [${shape.join(',')}], ${count} elements, but the whole body has ${cursor.bytes.length} bytes`,
    )
  const back = cursor.at
  cursor.at = dataAt
  if (datatype === 'BYTES') {
    const strings = flattenStrings(cursor.readValue(what), what)
    if (strings.length !== count)
      throw invalid(`${what} has ${strings.length} elements, its shape [${shape.join(',')}] needs ${count}`)
    cursor.at = back
    return { name, datatype, shape, data: strings }
  }
  const data = createNumericData(datatype, count)
  const form = { what, datatype, shape, count }
  // The scanner is exact to the last digit and says where a mistake is; the platform's parser is four times faster.
  if (!parseNumbers(cursor, form, data))
    readNumbers(cursor, form, datatype === 'BOOL' ? 'Bool' : createStore(cursor, form, data), data)
  cursor.at = back
  return { name, datatype, shape, data }
}

function flattenStrings(value: unknown, what: string): string[] {
  if (!Array.isArray(value)) throw invalid(`${what} must be an array of strings`)
  const flat: unknown[] = value.flat(maxRank)
  const odd = flat.find((element) => typeof element !== 'string')
  if (odd !== undefined) throw invalid(`${what} is BYTES: every element must be a string, found ${show(odd)}`)
  return flat as string[] // each one was checked above
}

/** The whole body is the only input: batch 1, and the one open dimension follows from the size. */
function parseRaw(body: Uint8Array<ArrayBuffer>, { inputs, outputs }: ModelSignature): InferRequest {
  const [spec, second] = inputs
  if (spec === undefined || second !== undefined)
    throw invalid(`a raw body needs a model with one input; this one has ${inputs.length}`)
  const requested = outputs.map(({ name }) => ({ name, binary: true, classification: 0 }))
  const what = `the raw body for input ${quote(spec.name)}`
  if (!isNumericDatatype(spec.datatype)) {
    const tensor = {
      name: spec.name,
      datatype: spec.datatype,
      shape: spec.shape.map(() => 1),
      data: parseStrings(body, 1, what),
    }
    return { id: newRequestId(), inputs: [tensor], outputs: requested, binaryOutput: true }
  }
  const shape = spec.shape.map((size, at) => (at === 0 && size === -1 ? 1 : size))
  const known = countElements(shape.map((size) => (size === -1 ? 1 : size))) * elementBytes(spec.datatype)
  const open = shape.filter((size) => size === -1).length
  const rest = body.length / known
  if (open > 1 || !Number.isInteger(rest) || rest < 1 || (open === 0 && rest !== 1)) {
    throw invalid(
      `${what} has ${body.length} bytes, which is no whole tensor of shape [${shape.join(',')}] of ${spec.datatype} (${known} bytes a piece)`,
    )
  }
  const full = shape.map((size) => (size === -1 ? rest : size))
  const data = viewNumericData(spec.datatype, body, 0, countElements(full))
  return {
    id: newRequestId(),
    inputs: [{ name: spec.name, datatype: spec.datatype, shape: full, data }],
    outputs: requested,
    binaryOutput: true,
  }
}

function readId(cursor: JsonCursor): string {
  const id = cursor.readValue('id')
  if (typeof id !== 'string') throw invalid(`\`id\` must be a string, found ${show(id)}`)
  if (id.length > 1024) throw invalid('`id` is longer than 1024 characters')
  return id
}

function readInputs(cursor: JsonCursor): RawInput[] {
  const inputs: RawInput[] = []
  cursor.readArray('`inputs`', (index) => {
    if (index >= maxInputs) throw invalid(`more than ${maxInputs} inputs`)
    inputs.push(readInput(cursor, `inputs[${index}]`))
  })
  return inputs
}

function readInput(cursor: JsonCursor, what: string): RawInput {
  let name: unknown
  let shape: unknown
  let datatype: unknown
  let dataAt: number | undefined
  let parameters: Record<string, unknown> = {}
  cursor.readObject(what, (key) => {
    if (key === 'name') name = cursor.readValue(`${what}.name`)
    else if (key === 'shape') shape = cursor.readValue(`${what}.shape`)
    else if (key === 'datatype') datatype = cursor.readValue(`${what}.datatype`)
    else if (key === 'parameters') parameters = readParameters(cursor, `${what}.parameters`)
    else if (key === 'data') {
      cursor.peek()
      dataAt = cursor.at
      cursor.skipValue()
    } else
      throw invalid(
        `${what} has the unknown key ${JSON.stringify(key.slice(0, 80))}; known are name, shape, datatype, parameters, data`,
      )
  })
  if (typeof name !== 'string') throw invalid(`${what}.name must be a string, found ${show(name)}`)
  if (typeof datatype !== 'string' || !Object.hasOwn(datatypes, datatype)) {
    throw invalid(`${what}.datatype is ${show(datatype)}; known are ${Object.keys(datatypes).join(', ')}`)
  }
  const binaryBytes = parameters['binary_data_size']
  if (binaryBytes !== undefined && !isSize(binaryBytes))
    throw invalid(`${what}.parameters.binary_data_size must be a whole number of bytes, found ${show(binaryBytes)}`)
  if (binaryBytes !== undefined && dataAt !== undefined)
    throw invalid(`${what} has both \`data\` and \`binary_data_size\`; one of them`)
  return { name, shape: readShape(shape, what), datatype: datatype as Datatype, binaryBytes, dataAt } // a key of the table, checked above
}

function readShape(shape: unknown, what: string): number[] {
  if (!Array.isArray(shape)) throw invalid(`${what}.shape must be an array of whole numbers, found ${show(shape)}`)
  if (shape.length > maxRank)
    throw invalid(`${what}.shape has ${shape.length} dimensions, at most ${maxRank} are possible`)
  const odd: unknown = shape.find((size) => !isSize(size))
  if (odd !== undefined) throw invalid(`${what}.shape has ${show(odd)}; every dimension must be a whole number from 0`)
  return shape as number[] // each one was checked above
}

function readOutputs(cursor: JsonCursor, signature: ModelSignature): RequestedOutput[] {
  const outputs: RequestedOutput[] = []
  cursor.readArray('`outputs`', (index) => {
    const what = `outputs[${index}]`
    let name: unknown
    let parameters: Record<string, unknown> = {}
    cursor.readObject(what, (key) => {
      if (key === 'name') name = cursor.readValue(`${what}.name`)
      else if (key === 'parameters') parameters = readParameters(cursor, `${what}.parameters`)
      else throw invalid(`${what} has the unknown key ${JSON.stringify(key.slice(0, 80))}; known are name, parameters`)
    })
    const known = signature.outputs.map((spec) => spec.name)
    if (typeof name !== 'string' || !known.includes(name))
      throw invalid(`the model has no output ${show(name)}; it has ${list(known)}`)
    if (outputs.some((output) => output.name === name)) throw invalid(`output ${quote(name)} is asked for twice`)
    const classification = parameters['classification'] ?? 0
    if (!isSize(classification))
      throw invalid(`${what}.parameters.classification must be a whole number, found ${show(classification)}`)
    outputs.push({ name, binary: readFlag(parameters, 'binary_data'), classification })
  })
  return outputs
}

function readParameters(cursor: JsonCursor, what: string): Record<string, unknown> {
  const value = cursor.readValue(what)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${what} must be an object, found ${show(value)}`)
  return value as Record<string, unknown> // an object that is no array
}

function readFlag(parameters: Record<string, unknown>, key: string): boolean | undefined {
  const value = parameters[key]
  if (value !== undefined && typeof value !== 'boolean')
    throw invalid(`the parameter ${key} must be true or false, found ${show(value)}`)
  return value
}

const isSize = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
/** A wrong value in a message, cut: a caller's megabyte comes back neither in the answer nor in the log. */
const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
const quote = (name: string): string => JSON.stringify(name.slice(0, 80))
const list = (names: readonly string[]): string => names.map(quote).join(', ')

function invalid(detail: string): TowlineError {
  return new TowlineError('TL_REQUEST_INVALID', detail)
}
