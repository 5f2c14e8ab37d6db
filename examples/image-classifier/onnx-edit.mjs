/**
 * As much of ONNX's protobuf as it takes to put nodes behind a model's output. Field numbers: onnx.proto3 of ONNX 1.16.
 */
const lengthDelimited = 2
const model = { graph: 7 }
const graph = { node: 1, initializer: 5 }
const node = { input: 1, output: 2, type: 4, attribute: 5 }
const attribute = { name: 1, int: 3, ints: 8, type: 20 }
const attributeType = { int: 2, ints: 7 }
const tensor = { dims: 1, type: 2, name: 8, rawData: 9 }
const tensorType = { Float32Array: 1, BigInt64Array: 7 }

/**
 * The model with `nodes` and `tensors` behind its output: what gave `output` before gives `rawOutput` now, and one of the nodes
 * is to make `output` of it. Callers see the same inputs and outputs.
 */
export function extendOutput(bytes, { output, rawOutput, nodes, tensors }) {
  const renamed = (port) => (port.toString() === output ? Buffer.from(rawOutput) : port)
  return editFields(bytes, model.graph, (body) =>
    Buffer.concat([
      editFields(body, graph.node, (body) => editFields(body, node.output, renamed)),
      ...nodes.map((body) => renderField(graph.node, body)),
      ...tensors.map((body) => renderField(graph.initializer, body)),
    ]),
  )
}

/** Attributes are whole numbers, or lists of them. */
export function renderNode(type, inputs, output, attributes = {}) {
  return Buffer.concat([
    ...inputs.map((name) => renderField(node.input, Buffer.from(name))),
    renderField(node.output, Buffer.from(output)),
    renderField(node.type, Buffer.from(type)),
    ...Object.entries(attributes).map(([name, value]) => renderField(node.attribute, renderAttribute(name, value))),
  ])
}

/** A constant: a Float32Array or a BigInt64Array. */
export function renderTensor(name, dims, data) {
  return Buffer.concat([
    ...dims.map((size) => renderNumber(tensor.dims, size)),
    renderNumber(tensor.type, tensorType[data.constructor.name]),
    renderField(tensor.name, Buffer.from(name)),
    renderField(tensor.rawData, Buffer.from(data.buffer)),
  ])
}

function renderAttribute(name, value) {
  const content = Array.isArray(value)
    ? [...value.map((item) => renderNumber(attribute.ints, item)), renderNumber(attribute.type, attributeType.ints)]
    : [renderNumber(attribute.int, value), renderNumber(attribute.type, attributeType.int)]
  return Buffer.concat([renderField(attribute.name, Buffer.from(name)), ...content])
}

/** The message with each of its fields of that number passed through `edit`; all else stays byte for byte. */
function editFields(bytes, number, edit) {
  const parts = []
  let at = 0
  while (at < bytes.length) {
    const start = at
    const tag = readVarint(bytes, at)
    const wire = tag.value % 8
    const length =
      wire === lengthDelimited ? readVarint(bytes, tag.end) : { value: widthOf(bytes, tag.end, wire), end: tag.end }
    at = length.end + length.value
    if (Math.floor(tag.value / 8) === number) parts.push(renderField(number, edit(bytes.subarray(length.end, at))))
    else parts.push(bytes.subarray(start, at))
  }
  return Buffer.concat(parts)
}

/** How many bytes a number takes. */
function widthOf(bytes, at, wire) {
  if (wire === 0) return readVarint(bytes, at).end - at
  if (wire === 1) return 8
  if (wire === 5) return 4
  throw new Error(`wire type ${wire} at byte ${at}: this is no protobuf`)
}

function readVarint(bytes, at) {
  let value = 0
  for (let end = at, factor = 1; ; end++, factor *= 128) {
    const byte = bytes[end]
    if (byte === undefined) throw new Error(`the message ends inside the number at byte ${at}`)
    value += (byte % 128) * factor
    if (byte < 128) return { value, end: end + 1 }
  }
}

function renderField(number, body) {
  return Buffer.concat([renderVarint(number * 8 + lengthDelimited), renderVarint(body.length), body])
}

function renderNumber(number, value) {
  return Buffer.concat([renderVarint(number * 8), renderVarint(value)])
}

function renderVarint(value) {
  const bytes = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Buffer.from([...bytes, value])
}
