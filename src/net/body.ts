import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { TowlineError } from '../base/errors.ts'

export interface BodyOptions {
  /** Also the limit of what a compressed body may grow to. */
  readonly maxBytes: number
  /** Bytes left free before the body, so that a tensor inside it lies aligned. */
  readonly offset?: number
  /** Where the buffer comes from when the size is known; for pools. */
  readonly allocate?: (sizeBytes: number) => ArrayBuffer
}

/** The body as JSON, for control sockets. Throws as `readBody` does, and TL_REQUEST_INVALID for what is no JSON. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const bytes = await readBody(request, { maxBytes })
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
  } catch (cause) {
    throw new TowlineError('TL_REQUEST_INVALID', 'the body is no JSON', { cause })
  }
}

/**
 * The whole body in one buffer, allocated once when its length is stated. Throws TL_REQUEST_TOO_LARGE before reading what
 * is too large, TL_MEDIA_UNSUPPORTED for an unknown encoding, TL_REQUEST_INVALID when the connection or the data breaks.
 */
export async function readBody(request: IncomingMessage, options: BodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  const stated = request.headers['content-length']
  const statedBytes = stated === undefined ? undefined : Number(stated)
  if (statedBytes !== undefined && statedBytes > options.maxBytes)
    throw tooLarge(`${statedBytes} bytes`, options.maxBytes)
  try {
    if (encoding === 'identity' && statedBytes !== undefined) return await readStated(request, statedBytes, options)
    return await readGrowing(openDecoder(request, encoding), options)
  } catch (cause) {
    if (cause instanceof TowlineError) throw cause
    const reason =
      encoding === 'identity' ? 'the connection broke before the body was complete' : `the ${encoding} data is broken`
    throw new TowlineError('TL_REQUEST_INVALID', reason, { cause })
  }
}

async function readStated(
  request: IncomingMessage,
  sizeBytes: number,
  { offset = 0, allocate }: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = allocate?.(offset + sizeBytes) ?? new ArrayBuffer(offset + sizeBytes)
  const body = new Uint8Array(buffer, offset, sizeBytes)
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>()
  let at = 0
  request.on('data', (chunk: Buffer) => {
    body.set(chunk, at)
    at += chunk.length
  })
  request.once('end', () => resolve(body))
  request.once('error', reject)
  request.once('close', () => reject(new Error('closed early')))
  return promise
}

async function readGrowing(source: Readable, { maxBytes, offset = 0 }: BodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  // Left open when it is too large: destroying the request would destroy the connection that the refusal goes out on.
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw tooLarge('more', maxBytes)
    chunks.push(chunk)
  }
  const body = new Uint8Array(new ArrayBuffer(offset + sizeBytes), offset)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}

function openDecoder(request: IncomingMessage, encoding: string): Readable {
  if (encoding === 'identity') return request
  const decoder =
    encoding === 'gzip' || encoding === 'x-gzip' ? createGunzip() : encoding === 'deflate' ? createInflate() : undefined
  if (decoder === undefined) {
    throw new TowlineError('TL_MEDIA_UNSUPPORTED', `content-encoding \`${encoding}\`; send gzip, deflate or none`)
  }
  request.once('error', (error) => decoder.destroy(error))
  request.once('close', () => {
    if (!request.complete) decoder.destroy(new Error('closed early'))
  })
  return request.pipe(decoder)
}

function tooLarge(seen: string, maxBytes: number): TowlineError {
  return new TowlineError('TL_REQUEST_TOO_LARGE', `the body has ${seen}, the limit is ${maxBytes} bytes`, {
    hint: 'raise serving.maxBody',
  })
}
