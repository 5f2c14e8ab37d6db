import { readFileSync } from 'node:fs'
import { request as startRequest } from 'node:http'
import { basename } from 'node:path'
import { formatMs, formatPercent } from '../base/display.ts'
import { type ErrorCode, TowlineError, codes, hasErrno } from '../base/errors.ts'
import type { ClassScore } from '../oip/classification.ts'

export interface Inference {
  readonly body: unknown
  readonly tookMs: number
}

/** A photo by its first bytes, otherwise a request as JSON. */
export function detectContentType(bytes: Uint8Array): string {
  const magic = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (magic.startsWith('\u00ff\u00d8\u00ff')) return 'image/jpeg'
  if (magic.startsWith('\u0089PNG')) return 'image/png'
  if (magic.startsWith('RIFF') && magic.slice(8) === 'WEBP') return 'image/webp'
  return 'application/json'
}

/** For a service that asks for a key: from the environment, where neither the shell's history nor other users see it. */
export function keyHeader(): Readonly<Record<string, string>> {
  const key = process.env['TOWLINE_API_KEY']
  return key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` }
}

export interface Payload {
  readonly bytes: Buffer
  readonly type: string
}

export function readPayload(file: string): Payload {
  const bytes = readInput(file)
  const type = detectContentType(bytes)
  if (type === 'application/json' && /\.(jpe?g|png|webp)$/i.test(file)) {
    throw new TowlineError('TL_IMAGE_INVALID', `${file} is named like a photo, but its content is none`)
  }
  return { bytes, type }
}

export async function sendPayload(
  { bytes, type }: Payload,
  { url, top, timeoutMs }: { url: string; top?: number | undefined; timeoutMs: number },
): Promise<Inference> {
  const startMs = performance.now()
  const { status, text } = await post(`${url}${top === undefined ? '' : `?top_k=${top}`}`, { bytes, type, timeoutMs })
  const tookMs = performance.now() - startMs
  const body = parse(text)
  if (status === 200) return { body, tookMs }
  const { error, code } = (body ?? {}) as { error?: string; code?: string } // the protocol's error form
  const known =
    code !== undefined && Object.hasOwn(codes, code)
      ? (code as ErrorCode)
      : status < 500
        ? 'TL_REQUEST_INVALID'
        : 'TL_UPSTREAM_FAILED'
  throw new TowlineError(known, (error ?? text.slice(0, 400)).replace(`${codes[known].say}: `, ''))
}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new TowlineError(hasErrno(cause, 'ENOENT') ? 'TL_FILE_MISSING' : 'TL_FILE_UNREADABLE', file, { cause })
  }
}

async function post(
  url: string,
  { bytes, type, timeoutMs }: { bytes: Buffer; type: string; timeoutMs: number },
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const headers = { 'content-type': type, 'content-length': bytes.length, ...keyHeader() }
  const request = startRequest(
    url,
    { method: 'POST', headers, agent: false, signal: AbortSignal.timeout(timeoutMs) },
    (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    },
  )
  request.on('error', reject)
  request.end(bytes)
  try {
    return await promise
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'AbortError')
      throw new TowlineError('TL_UPSTREAM_TIMEOUT', `${url} after ${formatMs(timeoutMs)}`, { cause })
    if (hasErrno(cause, 'ECONNREFUSED', 'ENOTFOUND')) {
      throw new TowlineError('TL_SERVICE_UNKNOWN', `nothing listens at ${url}`, {
        cause,
        hint: '`towline up FILE` starts a service',
      })
    }
    throw cause
  }
}

/** `chelsea.jpg  → Egyptian cat 36.7 %   tiger cat 35.7 %   in 19 ms`, or undefined when the answer is no classification. */
export function renderClasses(file: string, { body, tookMs }: Inference): string | undefined {
  const classes = readClasses(body)
  if (classes === undefined) return undefined
  return `${basename(file)}  → ${classes.map(({ label, score }) => `${label} ${formatPercent(score)}`).join('   ')}   in ${formatMs(tookMs)}`
}

export function readClasses(body: unknown): ClassScore[] | undefined {
  const { outputs } = (body ?? {}) as { outputs?: readonly { name: string; data?: readonly unknown[] }[] } // read with care below
  const data = (name: string): readonly unknown[] | undefined => outputs?.find((output) => output.name === name)?.data
  const [labels, scores, indices] = [data('labels'), data('scores'), data('indices')]
  if (labels === undefined || scores === undefined || indices === undefined) return undefined
  return labels.map((label, at) => ({ label: String(label), score: Number(scores[at]), index: Number(indices[at]) }))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
