import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'

export interface KubeAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Throws TL_CLUSTER_UNREACHABLE where it breaks off, and the signal's reason. */
  readonly body: AsyncIterable<Uint8Array>
}

/** 500 objects as large as the store takes (1.5 MB) would be more; nobody has such. */
const maxAnswerBytes = 256 << 20

/** All of an answer, as JSON. `what` was asked. TL_CLUSTER_UNREACHABLE when it breaks off; TL_CLUSTER_FAILED when it is none. */
export async function readJson(answer: KubeAnswer, what: string): Promise<unknown> {
  const text = Buffer.from(await readAll(answer, what)).toString()
  try {
    return JSON.parse(text)
  } catch {
    throw new TowlineError('TL_CLUSTER_FAILED', `${what}: the answer is no JSON (\`${oneLine(text).slice(0, 80)}\`)`, {
      hint: 'is something else than a Kubernetes API server there, such as a page to sign in?',
    })
  }
}

/** All of an answer. `what` was asked. TL_CLUSTER_UNREACHABLE when it breaks off; TL_CLUSTER_FAILED when it is too large. */
export async function readAll({ body }: KubeAnswer, what: string): Promise<Uint8Array> {
  const bytes = await readStart(body, maxAnswerBytes + 1)
  if (bytes.length <= maxAnswerBytes) return bytes
  throw new TowlineError('TL_CLUSTER_FAILED', `${what}: the answer has more than ${maxAnswerBytes} bytes`)
}

/** The first `maxBytes`; the rest is left. */
export async function readStart(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes >= maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}
