import type { Framing } from './message-head.ts'

/** Headers of one connection, not of the message: RFC 9110 section 7.6.1, and their names from before it. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** A `connection` header may name others to drop, but not these: without them the message would be another one. */
const protectedNames: ReadonlySet<string> = new Set(['content-length', 'content-type', 'host'])

/** The headers to pass on, spelled, ordered and repeated as they came; also without those in `drop` (lower case). */
export function endToEndHeaders(raw: readonly string[], drop?: ReadonlySet<string>): string[] {
  const passed: string[] = []
  let named: Set<string> | undefined
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const lower = name.toLowerCase()
    if (lower === 'connection') named = addNamed(named, raw[at + 1] ?? '')
    else if (!hopByHop.has(lower) && drop?.has(lower) !== true) passed.push(name, raw[at + 1] ?? '')
  }
  return named === undefined ? passed : withoutNamed(passed, named)
}

function addNamed(named: Set<string> | undefined, value: string): Set<string> | undefined {
  // The two usual values name no header: nearly every message ends here.
  if (value === 'keep-alive' || value === 'close') return named
  const names = named ?? new Set<string>()
  for (const part of value.split(',')) {
    const name = part.trim().toLowerCase()
    if (name !== '' && !protectedNames.has(name)) names.add(name)
  }
  return names
}

function withoutNamed(headers: readonly string[], named: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? ''
    if (!named.has(name.toLowerCase())) kept.push(name, headers[at + 1] ?? '')
  }
  return kept
}

export interface RequestHead {
  readonly method: string
  /** As it stands in the request line. */
  readonly target: string
  /** Names and values by turns; without framing and connection headers, which are written here. */
  readonly headers: readonly string[]
  readonly framing: Framing
}

/** The head as it goes over the wire, in Latin-1. */
export function renderRequestHead({ method, target, headers, framing }: RequestHead): string {
  let text = `${method} ${target} HTTP/1.1\r\n`
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at] ?? ''}: ${headers[at + 1] ?? ''}\r\n`
  if (framing.kind === 'Length') text += `Content-Length: ${framing.sizeBytes}\r\n`
  else if (framing.kind === 'Chunked') text += 'Transfer-Encoding: chunked\r\n'
  return `${text}\r\n`
}
