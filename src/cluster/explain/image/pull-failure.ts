import { oneLine } from '../../../base/display.ts'

/** Why a container runtime could not pull an image, read from its words. */
export type PullFailure = {
  /** What the runtime said, on one line. */
  readonly text: string
} & (
  | { readonly kind: 'Missing' }
  /** `status`: as the registry put it, where it was told. */
  | { readonly kind: 'Refused'; readonly status?: string }
  | { readonly kind: 'Limited' }
  /** `isSure`: a resolver said so; else none answered, which may pass. */
  | { readonly kind: 'HostUnknown'; readonly host: string; readonly isSure: boolean }
  | { readonly kind: 'Unreachable'; readonly why: string }
  | { readonly kind: 'Untrusted'; readonly why: string }
  | { readonly kind: 'PlatformMissing' }
  | { readonly kind: 'DiskFull' }
  | { readonly kind: 'Other' }
)

const limited = /429 Too Many Requests|toomanyrequests|pull rate limit|pull QPS exceeded/i
const refused =
  /401 Unauthorized|403 Forbidden|pull access denied|authorization failed|access to the resource is denied|unauthorized:|no basic auth|denied:/i
const missing = /\bnot found\b|manifest unknown|404 Not Found|name unknown/i
const untrusted = /x509: ([^]*)|tls: ([^]*)|server gave HTTP response to HTTPS client/
const unreachable =
  /connection refused|i\/o timeout|connection reset by peer|no route to host|network is unreachable|TLS handshake timeout|context deadline exceeded|Client\.Timeout|\bEOF\b|50[0-9] [A-Z][A-Za-z ]+/

/** The order matters: what registries say to those without rights often sounds like a missing image as well. */
export function readPullFailure(message: string): PullFailure {
  const text = oneLine(message)
  const host = /lookup ([^\s:]+)/.exec(message)?.[1]
  if (host !== undefined) return { kind: 'HostUnknown', host, isSure: message.includes('no such host'), text }
  if (/no match for platform|no matching manifest/.test(message)) return { kind: 'PlatformMissing', text }
  if (/no space left on device/.test(message)) return { kind: 'DiskFull', text }
  if (limited.test(message)) return { kind: 'Limited', text }
  if (refused.test(message)) {
    const status = /40[13] [A-Z][a-z]+/.exec(message)?.[0]
    return status === undefined ? { kind: 'Refused', text } : { kind: 'Refused', status, text }
  }
  if (missing.test(message)) return { kind: 'Missing', text }
  const distrust = untrusted.exec(message)
  if (distrust !== null) return { kind: 'Untrusted', why: oneLine(distrust[1] ?? distrust[2] ?? distrust[0]), text }
  const why = unreachable.exec(message)?.[0]
  if (why !== undefined) return { kind: 'Unreachable', why, text }
  return { kind: 'Other', text }
}
