import type { Socket } from 'node:net'
import { renderBrokenRequest } from '../answer.ts'
import { HeadTooLong, MalformedMessage, type RequestHead } from '../wire/message-head.ts'
import { RequestParser } from '../wire/request-parser.ts'
import { ClientExchange, type ExchangeCarrier, keepAliveS } from './client-exchange.ts'

export interface ConnectionSurroundings {
  readonly handle: (exchange: ClientExchange) => void
  readonly maxHeadBytes: number
  readonly headTimeoutMs: number
  /** For a body that is wanted, until all of it is there. */
  readonly bodyTimeoutMs: number
  /** No more requests are taken. */
  readonly closing: () => boolean
  /** When the next sweep is due, on its clock: limits are late by up to one sweep, never early, and cost requests nothing. */
  readonly nextSweepMs: () => number
}

/** What the client is waited for: its next request, a head, a body, or that it reads its last answer. */
type Limit = 'None' | 'Idle' | 'Head' | 'Body' | 'Linger'

/** A client whose request was not read to its end may read the answer before its connection is cut. */
const lingerMs = 5000

/** One client: its requests one after the other, the next one read when the last one is answered. */
export class ClientConnection implements ExchangeCarrier {
  readonly socket: Socket
  readonly #around: ConnectionSurroundings
  readonly #parser: RequestParser
  /** The last answer is given; whatever still comes is thrown away. */
  #ended = false
  #exchange: ClientExchange | undefined
  /** Bytes behind the request that is being answered. */
  #rest: Buffer | undefined
  #pumping = false
  #wanted = true
  #limit: Limit = 'None'
  #limitMs = 0

  constructor(socket: Socket, around: ConnectionSurroundings) {
    this.socket = socket
    this.#around = around
    this.#parser = new RequestParser(
      {
        onHead: (head) => this.#begin(head),
        onData: (bytes) => this.#exchange?.receive(bytes),
        onEnd: () => this.#endOfRequest(),
      },
      around.maxHeadBytes,
    )
    this.#expect('Head')
    socket
      .on('data', (bytes: Buffer) => this.#receive(bytes))
      .on('drain', () => this.#exchange?.onDrain?.())
      .on('end', () => this.#endOfStream())
      // What a client does to its connection ends in 'close'; unheard errors would end the process.
      .on('error', () => undefined)
      .on('close', () => this.#exchange?.close())
  }

  /** Owes an answer. */
  get busy(): boolean {
    return this.#exchange !== undefined
  }

  get lastExchange(): boolean {
    return this.#around.closing()
  }

  readMore(wanted: boolean): void {
    this.#wanted = wanted
    this.#expect(wanted ? 'Body' : 'None')
    this.#regulate()
  }

  answered(keepAlive: boolean): void {
    this.#exchange = undefined
    if (!keepAlive) return this.#end()
    this.#expect('Idle')
    this.#pump()
  }

  /** Ends at once when nothing of a request has come and no answer is owed. */
  closeIdle(): void {
    if (this.#exchange === undefined && this.#parser.idle && this.#rest === undefined) this.socket.destroy()
  }

  /** Ends what has taken too long. */
  sweep(nowMs: number): void {
    if (this.#limit === 'None' || nowMs < this.#limitMs) return
    const silent = this.#limit === 'Head' && this.#parser.idle
    if (silent || this.#limit === 'Idle' || this.#limit === 'Linger') this.socket.destroy()
    else this.#refuse('408 Request Timeout', 'the request did not arrive in time')
  }

  #receive(bytes: Buffer): void {
    if (this.#ended) return
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes])
    this.#pump()
  }

  /** Not re-entered: an answer may be given within the very call that brings its request. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#rest !== undefined && this.#exchange?.received !== true && !this.#ended) {
        const bytes = this.#rest
        this.#rest = undefined
        const next = this.#parser.push(bytes, 0)
        if (next < bytes.length) this.#rest = bytes.subarray(next)
      }
      if (this.#limit === 'Idle' && !this.#parser.idle) this.#expect('Head')
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      if (error instanceof HeadTooLong) this.#refuse('431 Request Header Fields Too Large', error.message)
      else this.#refuse('400 Bad Request', `this is not an HTTP/1.1 request: ${error.message}`)
    } finally {
      this.#pumping = false
    }
    this.#regulate()
  }

  #begin(head: RequestHead): void {
    this.#wanted = true
    this.#expect('None')
    this.#exchange = new ClientExchange(head, this)
    this.#around.handle(this.#exchange)
  }

  #endOfRequest(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#expect('None')
    this.#wanted = true
    exchange.finishRequest()
  }

  /** Reads only what somebody takes, and of the next request no more than came with this one. */
  #regulate(): void {
    const reads = this.#rest === undefined && this.#wanted
    if (reads === this.socket.isPaused()) {
      if (reads) this.socket.resume()
      else this.socket.pause()
    }
  }

  /** A client that sends no more while it is owed an answer has left: nobody else does that. */
  #endOfStream(): void {
    if (this.#exchange !== undefined) this.socket.destroy()
    else if (!this.#ended) this.#end()
  }

  #end(): void {
    // With bytes unread, closing would reset the connection, and the client could lose the answer.
    if (this.#rest !== undefined || !this.#parser.idle) return this.#linger()
    this.#ended = true
    this.socket.destroySoon()
  }

  #linger(): void {
    this.#ended = true
    this.#rest = undefined
    this.#wanted = true
    this.#expect('Linger')
    this.socket.end()
    this.socket.resume()
  }

  /** What cannot be read as a request gets the last answer of its connection, where one can still be given. */
  #refuse(statusLine: string, error: string): void {
    const exchange = this.#exchange
    if (exchange?.headSent === true || !this.socket.writable) return void this.socket.destroy()
    this.socket.write(renderBrokenRequest(statusLine, error))
    this.#exchange = undefined
    this.#linger()
    exchange?.close()
  }

  #expect(limit: Limit): void {
    this.#limit = limit
    if (limit === 'None') return
    const { nextSweepMs, headTimeoutMs, bodyTimeoutMs } = this.#around
    const afterMs = { Idle: keepAliveS * 1000, Head: headTimeoutMs, Body: bodyTimeoutMs, Linger: lingerMs }[limit]
    this.#limitMs = nextSweepMs() + afterMs
  }
}
