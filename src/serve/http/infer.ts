import { TowlineError } from '../../base/errors.ts'
import { renderClassification } from '../../oip/classification.ts'
import { alignBodyOffset, parseInferRequest } from '../../oip/infer-request.ts'
import { renderInferResponse } from '../../oip/infer-response.ts'
import { sendJson } from '../../net/answer.ts'
import { readBody } from '../../net/body.ts'
import { pickTopClasses } from '../input/top-classes.ts'
import type { LoadedModel } from '../loaded-model.ts'
import type { Exchange } from './exchange.ts'

/** A photo where the content type says so and the model takes one; otherwise tensors, whatever the content type says. */
export async function answerInfer(model: LoadedModel, exchange: Exchange): Promise<void> {
  const contentType = (exchange.request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (contentType.startsWith('image/')) await answerImage(model, exchange, contentType)
  else await answerTensors(model, exchange)
}

async function answerTensors(model: LoadedModel, exchange: Exchange): Promise<void> {
  const { request, response } = exchange
  const headerLength = readHeaderLength(exchange)
  const offset = alignBodyOffset(headerLength)
  const body = await readBody(request, { maxBytes: model.maxBodyBytes, offset, allocate: model.buffers.take })
  const asked = parseInferRequest(body, { headerLength, signature: model.signature })
  exchange.rows = model.countRows(asked.inputs)
  const { outputs } = await infer(model, exchange, {
    inputs: asked.inputs,
    outputs: asked.outputs?.map(({ name }) => name),
  })
  const labels = model.card?.card.labels
  const answer = renderInferResponse({
    modelName: model.name,
    request: asked,
    outputs,
    ...(labels === undefined ? {} : { labels }),
  })
  response.writeHead(200, answer.headers)
  const last = answer.chunks.length - 1
  answer.chunks.forEach((chunk, index) => (index === last ? response.end(chunk) : response.write(chunk)))
}

async function answerImage(model: LoadedModel, exchange: Exchange, contentType: string): Promise<void> {
  const { request, response, query, trace } = exchange
  if (model.card === undefined) {
    throw new TowlineError(
      'TL_MEDIA_UNSUPPORTED',
      `${contentType}: this model has no card.yaml that says how a photo becomes its input`,
      { hint: 'send tensors as JSON or binary' },
    )
  }
  if (!['image/jpeg', 'image/jpg', 'image/png', 'image/webp'].includes(contentType)) {
    throw new TowlineError(
      'TL_MEDIA_UNSUPPORTED',
      `${contentType}; photos are read as image/jpeg, image/png or image/webp`,
    )
  }
  const { card, decode, classes } = model.card
  const count = readTopCount(query, Math.min(card.topK, classes), classes)
  const body = await readBody(request, { maxBytes: model.maxBodyBytes })
  if (body.length === 0) throw new TowlineError('TL_IMAGE_INVALID', 'the body is empty')
  const data = await decode(body)
  const { image, output } = card
  const shape = image.layout === 'NCHW' ? [1, 3, image.height, image.width] : [1, image.height, image.width, 3]
  exchange.rows = 1
  const { outputs } = await infer(model, exchange, {
    inputs: [{ name: image.input, datatype: 'FP32', shape, data }],
    outputs: [output],
  })
  const [scores] = outputs
  if (scores === undefined || scores.datatype === 'BYTES')
    throw new Error(`the model gave no numbers for \`${output}\``)
  const row = Float64Array.from(scores.data as ArrayLike<number>) // FP32 or FP64, checked against the card at load
  sendJson(
    response,
    200,
    renderClassification({ modelName: model.name, id: trace.requestId, classes: pickTopClasses(row, card, count) }),
  )
}

async function infer(
  model: LoadedModel,
  exchange: Exchange,
  job: Pick<Parameters<LoadedModel['runtime']['run']>[0], 'inputs' | 'outputs'>,
) {
  const gone = new AbortController()
  const { response } = exchange
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort()
  }
  // A caller may have left while the body was read or the photo decoded.
  if (response.destroyed) gone.abort()
  response.once('close', onClose)
  try {
    const result = await model.runtime.run({ ...job, rows: exchange.rows, signal: gone.signal })
    model.buffers.giveBack(result.buffers)
    model.inferenceDone(result.queueMs, result.inferenceMs, exchange.rows)
    return result
  } finally {
    response.off('close', onClose)
  }
}

function readHeaderLength({ request }: Exchange): number | undefined {
  const text = request.headers['inference-header-content-length']
  if (text === undefined) return undefined
  if (typeof text === 'string' && /^\d{1,12}$/.test(text)) return Number(text)
  throw new TowlineError(
    'TL_REQUEST_INVALID',
    `Inference-Header-Content-Length is ${JSON.stringify(text)}; it must be a number of bytes`,
  )
}

function readTopCount(query: URLSearchParams, preset: number, classes: number): number {
  const text = query.get('top_k')
  if (text === null) return preset
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (count < 1)
    throw new TowlineError(
      'TL_REQUEST_INVALID',
      `top_k is ${JSON.stringify(text.slice(0, 40))}; it must be a whole number from 1`,
    )
  return Math.min(count, classes)
}
