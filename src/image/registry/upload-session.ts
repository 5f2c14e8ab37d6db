import { TowlineError } from '../../base/errors.ts'
import type { Answer } from './http/exchange.ts'
import { readProblem } from './http/registry-error.ts'
import type { Registry } from './registry.ts'

/** An upload that a registry has begun to take. */
export interface UploadSession {
  /** The newest one that the registry named: each answer may change it. */
  readonly location: URL
  /** What the registry holds of the blob. */
  readonly receivedBytes: number
  /** What the registry says of the parts it takes; the last part may be smaller. */
  readonly minChunkBytes: number
  readonly maxChunkBytes: number
}

export const emptyBody = { bytes: new Uint8Array() }

/** TL_REGISTRY_FAILED and what else an answer means. */
export async function startSession(
  registry: Registry,
  repository: string,
  signal: AbortSignal,
): Promise<UploadSession> {
  const request = { repository, access: 'Push', method: 'POST', at: 'blobs/uploads/', body: emptyBody, signal } as const
  const answer = await registry.send(request)
  if (answer.status !== 202) throw registry.failure(answer, `the start of an upload to ${repository}`)
  return sessionOf(answer)
}

/** The session that a 202 has begun. */
export function sessionOf(answer: Answer): UploadSession {
  const location = locationOf(answer)
  if (location === undefined)
    throw new TowlineError('TL_REGISTRY_FAILED', `${answer.url.host} began an upload without saying where it goes on`)
  return {
    location,
    receivedBytes: 0,
    minChunkBytes: numberIn(answer, 'oci-chunk-min-length') ?? 0,
    maxChunkBytes: numberIn(answer, 'oci-chunk-max-length') ?? Number.MAX_SAFE_INTEGER,
  }
}

/** How far an upload has come, as far as the registry says it clearly. */
export type SessionStatus = Pick<UploadSession, 'location'> & { readonly receivedBytes: number | undefined }

/** Undefined when the registry does not know the upload. */
export async function askSession(
  registry: Registry,
  repository: string,
  session: UploadSession,
  signal: AbortSignal,
): Promise<SessionStatus | undefined> {
  const answer = await registry.send({ repository, access: 'Push', method: 'GET', at: session.location, signal })
  if (answer.status !== 204 && answer.status !== 202) {
    if (answer.status === 401 || answer.status === 403)
      throw registry.failure(answer, `a question about an upload to ${repository}`)
    return undefined
  }
  return { location: locationOf(answer) ?? session.location, receivedBytes: receivedIn(answer) }
}

/** Lets the registry forget an upload; when that fails it does so by itself after a while. */
export async function cancelSession(
  registry: Registry,
  repository: string,
  { location }: Pick<UploadSession, 'location'>,
): Promise<void> {
  try {
    await registry.send({ repository, access: 'Push', method: 'DELETE', at: location, tries: 1, answerTimeoutMs: 5000 })
  } catch {
    // The failure that made us give up is the one to tell.
  }
}

/** After a 202 to a part: `sentTo` is where that part ended, for registries that do not say it. */
export function advance(session: UploadSession, answer: Answer, sentTo: number): UploadSession {
  return { ...session, location: locationOf(answer) ?? session.location, receivedBytes: receivedIn(answer) ?? sentTo }
}

/** The registry has forgotten the upload. */
export function isSessionGone(answer: Answer): boolean {
  const code = readProblem(answer.body)?.code ?? ''
  return answer.status === 404 || code === 'BLOB_UPLOAD_UNKNOWN' || code === 'BLOB_UPLOAD_INVALID'
}

function locationOf({ headers, url }: Answer): URL | undefined {
  const location = headers['location']
  return typeof location === 'string' && URL.canParse(location, url.href) ? new URL(location, url) : undefined
}

/** `Range: 0-99` means 100 bytes. `0-0` is said of one byte and, by some registries, of none: that is no answer. */
function receivedIn({ headers }: Answer): number | undefined {
  const range = headers['range']
  const last = typeof range === 'string' ? /^(?:bytes=)?0-(\d+)$/.exec(range.trim())?.[1] : undefined
  return last === undefined || last === '0' ? undefined : Number(last) + 1
}

function numberIn({ headers }: Answer, name: string): number | undefined {
  const value = headers[name]
  return typeof value === 'string' && /^\d{1,15}$/.test(value) && value !== '0' ? Number(value) : undefined
}
