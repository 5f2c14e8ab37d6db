import type { Socket } from 'node:net'
import { lastChunk, writeBody } from '../wire/body-writer.ts'
import type { RequestHead } from '../wire/message-head.ts'

export interface RequestReader {
  data(bytes: Buffer): void
  end(): void
}

/** What an exchange needs of the connection that carries it. */
export interface ExchangeCarrier {
  readonly socket: Socket
  /** No more requests over this connection. */
  readonly lastExchange: boolean
  /** Bytes of the body are wanted, or not. */
  readMore(wanted: boolean): void
  /** The answer is complete; the request may still be arriving. */
  answered(keepAlive: boolean): void
}

/** How long a client may keep an idle connection before it must expect its end: said with each answer. */
export const keepAliveS = 65
const continueLine = 'HTTP/1.1 100 Continue\r\n\r\n'
const kept = `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveS}\r\n\r\n`
const last = 'Connection: close\r\n\r\n'

/** One request of a client and the answer to it. */
export class ClientExchange {
  readonly head: RequestHead
  readonly remoteAddress: string | undefined
  /** The answer can be written on again. */
  onDrain: (() => void) | undefined
  /** The connection is gone before the answer was complete. */
  onClose: (() => void) | undefined
  readonly #carrier: ExchangeCarrier
  #reader: RequestReader | undefined
  /** What came while nobody read. */
  #early: Buffer[] = []
  #flowing = false
  #received: boolean
  #endOwed = true
  #continued = false
  #headText: string | undefined
  #chunked = false
  #bodyless = false
  #keepAlive = false
  #state: 'Open' | 'Answering' | 'Answered' | 'Closed' = 'Open'

  constructor(head: RequestHead, carrier: ExchangeCarrier) {
    this.head = head
    this.#carrier = carrier
    this.remoteAddress = carrier.socket.remoteAddress
    this.#received = head.framing.kind === 'None'
  }

  /** All of the request has arrived. */
  get received(): boolean {
    return this.#received
  }

  get headSent(): boolean {
    return this.#state !== 'Open'
  }

  get closed(): boolean {
    return this.#state === 'Closed'
  }

  /** The body goes to this reader from now on, first what has come already. */
  read(reader: RequestReader): void {
    this.#reader = reader
    this.resumeBody()
  }

  resumeBody(): void {
    this.#flowing = true
    if (this.head.expectsContinue && !this.#continued && !this.headSent && !this.#received) {
      this.#continued = true
      this.#carrier.socket.write(continueLine, 'latin1')
    }
    while (this.#flowing && this.#early.length > 0) {
      const bytes = this.#early.shift()
      if (bytes !== undefined) this.#reader?.data(bytes)
    }
    if (!this.#flowing) return
    if (this.#received) this.#tellEnd()
    else this.#carrier.readMore(true)
  }

  pauseBody(): void {
    this.#flowing = false
    if (!this.#received) this.#carrier.readMore(false)
  }

  /** By the connection: bytes of the body. */
  receive(bytes: Buffer): void {
    if (this.#flowing) return this.#reader?.data(bytes)
    this.#early.push(bytes)
    this.#carrier.readMore(false)
  }

  /** By the connection: the body is complete. */
  finishRequest(): void {
    this.#received = true
    if (this.#flowing) this.#tellEnd()
  }

  /** Connection headers and framing are written here; `content-length`, where the length is known, is among `headers`. */
  sendHead(status: number, reason: string, headers: readonly string[]): void {
    if (this.#state !== 'Open') throw new Error('the answer has begun already')
    this.#state = 'Answering'
    this.#bodyless = this.head.method === 'HEAD' || status === 204 || status === 304
    let text = `HTTP/1.1 ${status} ${reason}\r\n`
    let hasLength = this.#bodyless
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at] ?? ''
      text += `${name}: ${headers[at + 1] ?? ''}\r\n`
      if (!hasLength && name.length === 14 && name.toLowerCase() === 'content-length') hasLength = true
    }
    this.#chunked = !hasLength && !this.head.oldVersion
    if (this.#chunked) text += 'Transfer-Encoding: chunked\r\n'
    // The rest of a request that is not read to its end would be taken for the next one.
    const ends = this.#carrier.lastExchange || !this.#received || (!hasLength && !this.#chunked)
    this.#keepAlive = this.head.keepAlive && !ends
    this.#headText = text + (this.#keepAlive ? kept : last)
  }

  /** False: hold further bytes until `onDrain`. */
  write(bytes: Buffer): boolean {
    if (this.#state !== 'Answering' || this.#bodyless || bytes.length === 0) return true
    return writeBody(this.#carrier.socket, this.#takeHead(), bytes, this.#chunked)
  }

  /** Sends a head that still waits for company. */
  flush(): void {
    const head = this.#takeHead()
    if (head !== '') this.#carrier.socket.write(head, 'latin1')
  }

  end(): void {
    if (this.#state !== 'Answering') return
    const rest = this.#takeHead() + (this.#chunked && !this.#bodyless ? lastChunk : '')
    if (rest !== '') this.#carrier.socket.write(rest, 'latin1')
    this.#state = 'Answered'
    this.#carrier.answered(this.#keepAlive)
  }

  /** Ends the connection on the spot: whoever reads the answer sees that it was cut. */
  destroy(): void {
    if (this.#state === 'Open' || this.#state === 'Answering') this.#carrier.socket.destroy()
  }

  /** By the connection, which is gone. */
  close(): void {
    const before = this.#state
    this.#state = 'Closed'
    if (before !== 'Answered' && before !== 'Closed') this.onClose?.()
  }

  #tellEnd(): void {
    if (!this.#endOwed) return
    this.#endOwed = false
    this.#reader?.end()
  }

  #takeHead(): string {
    const text = this.#headText ?? ''
    this.#headText = undefined
    return text
  }
}
