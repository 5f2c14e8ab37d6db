/** Heads of HTTP/1.1 messages: strictly what RFC 9112 allows, and none of its old leniencies. */

export type Framing =
  | { readonly kind: 'None' }
  | { readonly kind: 'Length'; readonly sizeBytes: number }
  | { readonly kind: 'Chunked' }
  /** An answer only: it ends with the connection. */
  | { readonly kind: 'UntilClose' }

export interface AnswerHead {
  readonly status: number
  readonly reason: string
  /** Names and values by turns, spelled, ordered and repeated as they came. */
  readonly headers: readonly string[]
  readonly framing: Framing
  /** The connection may carry another request after this answer. */
  readonly keepAlive: boolean
  /** How long the server said that it keeps an idle connection. */
  readonly keepAliveMs: number | undefined
}

export interface RequestHead {
  readonly method: string
  readonly target: string
  /** Names and values by turns, spelled, ordered and repeated as they came. */
  readonly headers: readonly string[]
  readonly framing: Framing
  /** The client may send another request over this connection. */
  readonly keepAlive: boolean
  /** HTTP/1.0: knows no chunks. */
  readonly oldVersion: boolean
  /** The client waits to be told before it sends the body. */
  readonly expectsContinue: boolean
}

/** What came is not the HTTP/1.1 that is accepted here: the connection cannot be trusted any further. */
export class MalformedMessage extends Error {
  override readonly name: string = 'MalformedMessage'
}

export class HeadTooLong extends MalformedMessage {
  override readonly name = 'HeadTooLong'

  constructor(maxBytes: number) {
    super(`the head is over ${maxBytes} bytes`)
  }
}

const maxHeaders = 256
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const requestLine = /^([A-Z][A-Z-]{0,23}) ([\x21-\x7e]+) HTTP\/1\.([01])$/
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/
const noBody: Framing = { kind: 'None' }

/** `text` is the head in Latin-1, without the empty line that ends it. */
export function parseAnswerHead(text: string, requestMethod: string): AnswerHead {
  const lineEnd = text.indexOf('\r\n')
  const first = statusLine.exec(lineEnd === -1 ? text : text.slice(0, lineEnd))
  if (first === null) throw new MalformedMessage(`no status line: ${JSON.stringify(text.slice(0, 40))}`)
  const [, minor, digits = '', reason = ''] = first
  const status = Number(digits)
  const headers = lineEnd === -1 ? [] : parseFields(text.slice(lineEnd + 2))
  const facts = readFacts(headers)
  const framing = frameAnswer(facts, { status, requestMethod, oldVersion: minor === '0' })
  const persists = minor === '1' ? !facts.connection.includes('close') : facts.connection.includes('keep-alive')
  return {
    status,
    reason,
    headers,
    framing,
    keepAlive: persists && framing.kind !== 'UntilClose',
    keepAliveMs: facts.keepAliveMs,
  }
}

/** `text` is the head in Latin-1, without the empty line that ends it. */
export function parseRequestHead(text: string): RequestHead {
  const lineEnd = text.indexOf('\r\n')
  const first = requestLine.exec(lineEnd === -1 ? text : text.slice(0, lineEnd))
  if (first === null) throw new MalformedMessage(`no request line: ${quote(text)}`)
  const [, method = '', target = '', minor] = first
  // It would make a tunnel of this connection.
  if (method === 'CONNECT') throw new MalformedMessage('CONNECT is not served here')
  const headers = lineEnd === -1 ? [] : parseFields(text.slice(lineEnd + 2))
  const facts = readFacts(headers)
  const oldVersion = minor === '0'
  if (facts.hosts > 1 || (facts.hosts === 0 && !oldVersion)) throw new MalformedMessage(`${facts.hosts} host headers`)
  if (facts.expect !== '' && facts.expect !== '100-continue')
    throw new MalformedMessage(`expect ${quote(facts.expect)}`)
  const { length, coding, connection } = facts
  checkFraming(facts, oldVersion)
  const framing: Framing =
    coding !== undefined
      ? { kind: 'Chunked' }
      : length === undefined || Number(length) === 0
        ? noBody
        : { kind: 'Length', sizeBytes: Number(length) }
  const keepAlive = oldVersion ? connection.includes('keep-alive') : !connection.includes('close')
  const expectsContinue = facts.expect !== '' && !oldVersion
  return { method, target, headers, framing, keepAlive, oldVersion, expectsContinue }
}

/** The value of a header, several of them joined by commas; `name` in lower case. */
export function findHeader(headers: readonly string[], name: string): string | undefined {
  let found: string | undefined
  for (let at = 0; at < headers.length; at += 2) {
    const given = headers[at] ?? ''
    if (given.length !== name.length || given.toLowerCase() !== name) continue
    const value = headers[at + 1] ?? ''
    found = found === undefined ? value : `${found}, ${value}`
  }
  return found
}

/** Header lines, or the trailer of a chunked body. */
export function parseFields(text: string): string[] {
  const fields: string[] = []
  for (let from = 0; from < text.length;) {
    const found = text.indexOf('\r\n', from)
    const end = found === -1 ? text.length : found
    const colon = text.indexOf(':', from)
    // A folded line (it begins with a space) has no valid name and is refused here too.
    if (colon === -1 || colon > end) throw new MalformedMessage(`no header: ${quote(text, from, end)}`)
    const name = text.slice(from, colon)
    const value = trimBlank(text, colon + 1, end)
    if (!headerName.test(name) || forbiddenInValue.test(value))
      throw new MalformedMessage(`no header: ${quote(text, from, end)}`)
    fields.push(name, value)
    if (fields.length > maxHeaders * 2) throw new MalformedMessage(`over ${maxHeaders} headers`)
    from = end + 2
  }
  return fields
}

interface Facts {
  length: string | undefined
  coding: string | undefined
  connection: string
  keepAliveMs: number | undefined
  hosts: number
  /** In lower case; empty: nothing is expected. */
  expect: string
}

function readFacts(headers: readonly string[]): Facts {
  const facts: Facts = {
    length: undefined,
    coding: undefined,
    connection: '',
    keepAliveMs: undefined,
    hosts: 0,
    expect: '',
  }
  for (let at = 0; at < headers.length; at += 2) {
    const value = headers[at + 1] ?? ''
    switch (headers[at]?.toLowerCase()) {
      case 'content-length':
        if (facts.length !== undefined) throw new MalformedMessage('content-length is given twice')
        facts.length = value
        break
      case 'transfer-encoding':
        if (facts.coding !== undefined) throw new MalformedMessage('transfer-encoding is given twice')
        facts.coding = value
        break
      case 'connection':
        facts.connection += `,${value.toLowerCase()}`
        break
      case 'host':
        facts.hosts++
        break
      case 'expect':
        facts.expect += value.toLowerCase()
        break
      case 'keep-alive': {
        const seconds = /(?:^|[,\s])timeout=(\d{1,6})(?:$|[,\s])/i.exec(value)?.[1]
        if (seconds !== undefined) facts.keepAliveMs = Number(seconds) * 1000
        break
      }
    }
  }
  return facts
}

function checkFraming({ length, coding }: Facts, oldVersion: boolean): void {
  if (length !== undefined && coding !== undefined)
    throw new MalformedMessage('both content-length and transfer-encoding are given')
  // 15 digits stay exact in a number. A list of equal lengths is allowed by the RFC and sent by nobody honest.
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new MalformedMessage(`content-length ${quote(length)}`)
  if (coding !== undefined && (oldVersion || coding.toLowerCase() !== 'chunked'))
    throw new MalformedMessage(`transfer-encoding ${quote(coding)}`)
}

function frameAnswer(
  facts: Facts,
  { status, requestMethod, oldVersion }: { status: number; requestMethod: string; oldVersion: boolean },
): Framing {
  checkFraming(facts, oldVersion)
  const { length, coding } = facts
  if (requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304) return noBody
  if (coding !== undefined) return { kind: 'Chunked' }
  if (length !== undefined) return length === '0' ? noBody : { kind: 'Length', sizeBytes: Number(length) }
  return { kind: 'UntilClose' }
}

function trimBlank(text: string, from: number, to: number): string {
  // Not trim(): that would also take bytes which are no blank in HTTP, such as 0xA0.
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

function quote(text: string, from = 0, to = text.length): string {
  return JSON.stringify(text.slice(from, Math.min(to, from + 60)))
}
