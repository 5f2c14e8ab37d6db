import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { readFileSync, statSync } from 'node:fs'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import type { Datatype } from '../../oip/tensor.ts'

/** What an ONNX file says of itself, read without a runtime. Field numbers: onnx.proto3 of ONNX 1.16. */
export interface OnnxMetadata {
  readonly irVersion: number
  readonly opset: number | undefined
  readonly producer: string
  readonly inputs: readonly OnnxPort[]
  readonly outputs: readonly OnnxPort[]
  /** Free text the exporter left, e.g. `names` of classes. */
  readonly properties: ReadonlyMap<string, string>
}

export interface OnnxPort {
  readonly name: string
  /** Undefined: no tensor, or an element type the protocol does not know. */
  readonly datatype: Datatype | undefined
  /** Numbers, or the names of open dimensions; '?' for one without a name. */
  readonly shape: readonly (number | string)[]
}

const elementTypes: readonly (Datatype | undefined)[] = [
  undefined,
  'FP32',
  'UINT8',
  'INT8',
  'UINT16',
  'INT16',
  'INT32',
  'INT64',
  'BYTES',
  'BOOL',
  'FP16',
  'FP64',
  'UINT32',
  'UINT64',
  undefined,
  undefined,
  'BF16',
]
/** Protobuf's own limit for one message; larger models keep their weights in files beside. */
const maxFileBytes = 2 ** 31

export function readOnnxMetadata(file: string): OnnxMetadata {
  let bytes: Uint8Array
  try {
    if (statSync(file).size > maxFileBytes)
      throw new TowlineError('TL_MODEL_UNLOADABLE', `${file} is over 2 GiB, which no ONNX file can be`)
    bytes = readFileSync(file)
  } catch (cause) {
    if (cause instanceof TowlineError) throw cause
    throw new TowlineError(hasErrno(cause, 'ENOENT') ? 'TL_FILE_MISSING' : 'TL_FILE_UNREADABLE', file, { cause })
  }
  const metadata = parseOnnxMetadata(bytes)
  if (metadata === undefined) {
    throw new TowlineError('TL_MODEL_UNLOADABLE', `${file} is not an ONNX model (${bytes.length} bytes)`, {
      hint: 'export the model to ONNX first, e.g. with torch.onnx.export or tf2onnx',
    })
  }
  return metadata
}

/** Undefined when the bytes are no ONNX model. */
export function parseOnnxMetadata(bytes: Uint8Array): OnnxMetadata | undefined {
  let irVersion = 0
  let opset: number | undefined
  let producer = ''
  let graph: Pick<OnnxMetadata, 'inputs' | 'outputs'> | undefined
  const properties = new Map<string, string>()
  try {
    readFields(bytes, {
      1: (reader) => (irVersion = Number(reader.int64())),
      2: (reader) => (producer = reader.string()),
      3: (reader) => (producer = `${producer} ${reader.string()}`.trim()),
      7: (reader) => (graph = readGraph(reader.bytes())),
      8: (reader) => {
        const found = readOpset(reader.bytes())
        if (found.domain === '') opset = found.version
      },
      14: (reader) => {
        const [key, value] = readPair(reader.bytes())
        properties.set(key, value)
      },
    })
  } catch {
    return undefined
  }
  if (graph === undefined || irVersion < 1 || (graph.inputs.length === 0 && graph.outputs.length === 0))
    return undefined
  return { irVersion, opset, producer, ...graph, properties }
}

type FieldReaders = Readonly<Record<number, (reader: BinaryReader) => unknown>>

/** Calls the reader of each known field; the others are passed over, weights among them, without a copy. */
function readFields(bytes: Uint8Array, fields: FieldReaders): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    const read = fields[field]
    if (read === undefined) reader.skip(wire, field)
    else if (wire === WireType.LengthDelimited || wire === WireType.Varint) read(reader)
    else throw new Error(`field ${field} has wire type ${wire}`)
  }
}

function readGraph(bytes: Uint8Array): Pick<OnnxMetadata, 'inputs' | 'outputs'> {
  const inputs: OnnxPort[] = []
  const outputs: OnnxPort[] = []
  const initialised = new Set<string>()
  readFields(bytes, {
    5: (reader) => readFields(reader.bytes(), { 8: (tensor) => initialised.add(tensor.string()) }),
    11: (reader) => inputs.push(readPort(reader.bytes())),
    12: (reader) => outputs.push(readPort(reader.bytes())),
  })
  // Weights that old exporters list as inputs, and inputs with a default, which the Node binding passes over in silence.
  return { inputs: inputs.filter(({ name }) => !initialised.has(name)), outputs }
}

function readPort(bytes: Uint8Array): OnnxPort {
  let name = ''
  let elementType = 0
  const shape: (number | string)[] = []
  const readShape = (reader: BinaryReader): void =>
    readFields(reader.bytes(), { 1: (dimension) => shape.push(readDimension(dimension.bytes())) })
  const readTensor = (reader: BinaryReader): void =>
    readFields(reader.bytes(), { 1: (type) => (elementType = type.int32()), 2: readShape })
  readFields(bytes, {
    1: (reader) => (name = reader.string()),
    2: (reader) => readFields(reader.bytes(), { 1: readTensor }),
  })
  return { name, datatype: elementTypes[elementType], shape }
}

function readDimension(bytes: Uint8Array): number | string {
  let size: number | string = '?'
  readFields(bytes, { 1: (reader) => (size = Number(reader.int64())), 2: (reader) => (size = reader.string() || '?') })
  return size
}

function readOpset(bytes: Uint8Array): { domain: string; version: number } {
  const opset = { domain: '', version: 0 }
  readFields(bytes, {
    1: (reader) => (opset.domain = reader.string()),
    2: (reader) => (opset.version = Number(reader.int64())),
  })
  return opset
}

function readPair(bytes: Uint8Array): [string, string] {
  const pair: [string, string] = ['', '']
  readFields(bytes, { 1: (reader) => (pair[0] = reader.string()), 2: (reader) => (pair[1] = reader.string()) })
  return pair
}
