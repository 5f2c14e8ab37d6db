import { basename } from 'node:path'
import { formatMs, formatPercent } from '../base/display.ts'
import { type ErrorCode, TowlineError, codes } from '../base/errors.ts'
import { type InferenceAnswer, callInference } from '../bench/inference-call.ts'
import { type Payload, readPayload } from '../bench/payload.ts'
import { readClasses } from '../oip/classification.ts'

export { readPayload }

export interface Inference {
  readonly body: unknown
  readonly tookMs: number
}

/** For a service that asks for a key: from the environment, where neither the shell's history nor other users see it. */
export function keyHeader(): Readonly<Record<string, string>> {
  const key = process.env['TOWLINE_API_KEY']
  return key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` }
}

export async function sendPayload(
  payload: Payload,
  { url, top, timeoutMs }: { url: string; top?: number | undefined; timeoutMs: number },
): Promise<Inference> {
  return readInference(
    await callInference(payload, {
      url: `${url}${top === undefined ? '' : `?top_k=${top}`}`,
      headers: keyHeader(),
      timeoutMs,
    }),
  )
}

/** The answer of a model; throws what the service says of its failure. */
export function readInference({ status, body, text, tookMs }: InferenceAnswer): Inference {
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

/** `chelsea.jpg  → Egyptian cat 36.7 %   tiger cat 35.7 %   in 19 ms`, or undefined when the answer is no classification. */
export function renderClasses(file: string, { body, tookMs }: Inference): string | undefined {
  const classes = readClasses(body)
  if (classes === undefined) return undefined
  return `${basename(file)}  → ${classes.map(({ label, score }) => `${label} ${formatPercent(score)}`).join('   ')}   in ${formatMs(tookMs)}`
}
