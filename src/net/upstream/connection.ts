import { type Socket, connect } from 'node:net'
import type { RequestBody } from './body.ts'
import { type AnswerHead, MalformedMessage } from '../wire/message-head.ts'
import { AnswerParser } from '../wire/answer-parser.ts'
import { lastChunk, writeBody } from '../wire/body-writer.ts'

export interface UpstreamRequest {
  readonly method: string
  /** Request line and headers with the empty line, in Latin-1: what `renderRequestHead` makes. */
  readonly head: string
  readonly body: RequestBody
  /** From the last byte sent to the head of the answer; and for the server to go on taking a body. */
  readonly answerTimeoutMs: number
  /** How long an answer that has begun may stand still, for want of bytes or of somebody to take them. */
  readonly stallTimeoutMs: number
}

/** Takes one answer: `head`, any `data`, `end` - or `fail`, at any point and last. */
export interface AnswerReader {
  head(head: AnswerHead): void
  /** False: no more until `Exchange.resume`. */
  data(bytes: Buffer): boolean
  /** All that has arrived was handed over. */
  flush(): void
  end(): void
  fail(failure: UpstreamFailure): void
}

export interface UpstreamFailure {
  /**
   * `NotSent`: no connection. `NoAnswer`: it broke before a byte of the answer. Both may be tried again, the second only for
   * requests that may run twice. `Broken`: within the answer. `Malformed`: not HTTP. `Late`: the server stood still.
   * `ReceiverLate`: whoever reads the answer did.
   */
  readonly kind: 'NotSent' | 'NoAnswer' | 'Broken' | 'Malformed' | 'Late' | 'ReceiverLate'
  /** The connection had served before: without an answer, the server may just have closed it as idle. */
  readonly reused: boolean
  readonly message: string
}

export interface Exchange {
  resume(): void
  /** Gives up without a call to the reader. The server sees its connection close. */
  cancel(): void
}

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly connectTimeoutMs: number
  readonly maxHeadBytes: number
  /** Ready for another request. `keepAliveMs`: what the server said of its patience. */
  readonly onIdle: (connection: UpstreamConnection, keepAliveMs: number | undefined) => void
  readonly onClosed: (connection: UpstreamConnection) => void
}

interface Current {
  readonly request: UpstreamRequest
  readonly reader: AnswerReader
  head: AnswerHead | undefined
  /** The head of the request waits for the first bytes of the body, to share their packet. */
  headSent: boolean
  requestSent: boolean
  answerBegun: boolean
  unflushed: boolean
}

interface Watched {
  untilMs: number
  readonly limitMs: number
  readonly kind: UpstreamFailure['kind']
  readonly what: string
}

/** One connection to a replica, carrying one request at a time. */
export class UpstreamConnection {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #parser: AnswerParser
  #current: Current | undefined
  #connected = false
  #served = 0
  /** The answer ended and left the connection usable, as far as was read. */
  #rest: { readonly keepAliveMs: number | undefined } | undefined
  #error: Error | undefined
  /** What is waited for. */
  #watched: Watched | undefined
  #timer: NodeJS.Timeout | undefined
  #timerMs = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    const sink = {
      onHead: (head: AnswerHead) => this.#takeHead(head),
      onData: (bytes: Buffer) => this.#takeData(bytes),
      onEnd: () => this.#finish(),
    }
    this.#parser = new AnswerParser(sink, options.maxHeadBytes)
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true })
    this.#socket
      .on('connect', () => this.#connect())
      .on('data', (bytes) => this.#receive(bytes))
      .on('drain', () => this.#drain())
      .on('end', () => this.#endOfStream())
      .on('error', (error) => (this.#error = error))
      .on('close', () => this.#close())
  }

  send(request: UpstreamRequest, reader: AnswerReader): Exchange {
    if (this.#current !== undefined) throw new Error('this connection carries a request already')
    const current: Current = {
      request,
      reader,
      head: undefined,
      headSent: false,
      requestSent: false,
      answerBegun: false,
      unflushed: false,
    }
    this.#current = current
    this.#parser.expect(request.method)
    if (this.#connected) this.#transmit(current)
    else this.#watch(this.#options.connectTimeoutMs, 'NotSent', 'no connection')
    return {
      resume: () => this.#resume(current),
      cancel: () => {
        if (this.#current === current) this.destroy()
      },
    }
  }

  /** Ends the connection; a request on it is forgotten. */
  destroy(): void {
    this.#release()
    this.#socket.destroy()
    // Not only with the 'close' event: nobody may be given this connection in between.
    this.#options.onClosed(this)
  }

  #connect(): void {
    this.#connected = true
    this.#unwatch()
    if (this.#current !== undefined) this.#transmit(this.#current)
  }

  #transmit(current: Current): void {
    current.request.body.start({
      write: (bytes) => this.#current === current && this.#write(current, bytes),
      end: () => {
        if (this.#current === current) this.#endRequest(current)
      },
    })
  }

  #write(current: Current, bytes: Buffer): boolean {
    if (bytes.length === 0) return true // As a chunk it would end the body.
    const { head, body, answerTimeoutMs } = current.request
    const chunked = body.framing.kind === 'Chunked'
    const free = writeBody(this.#socket, current.headSent ? '' : head, bytes, chunked)
    current.headSent = true
    if (!free && current.head === undefined) this.#watch(answerTimeoutMs, 'Late', 'the request was not taken')
    return free
  }

  #endRequest(current: Current): void {
    const { head, body, answerTimeoutMs } = current.request
    if (!current.headSent) this.#socket.write(head, 'latin1')
    if (body.framing.kind === 'Chunked') this.#socket.write(lastChunk, 'latin1')
    current.headSent = true
    current.requestSent = true
    if (current.head === undefined) this.#watch(answerTimeoutMs, 'Late', 'no answer')
  }

  #drain(): void {
    const current = this.#current
    if (current === undefined || current.requestSent) return
    // From here on it is the client who may take its time.
    if (current.head === undefined) this.#unwatch()
    current.request.body.resume()
  }

  #receive(bytes: Buffer): void {
    // Nothing was asked: a farewell of the server, or worse. The next request must not take it for its answer.
    if (this.#current === undefined) return this.destroy()
    this.#current.answerBegun = true
    try {
      this.#parser.push(bytes)
    } catch (error) {
      return this.#distrust(error)
    }
    const current = this.#current as Current | undefined // `push` may have ended it.
    if (current?.unflushed === true) {
      current.unflushed = false
      current.reader.flush()
    }
    const rest = this.#rest
    if (rest === undefined) return
    this.#rest = undefined
    this.#options.onIdle(this, rest.keepAliveMs)
  }

  #endOfStream(): void {
    if (this.#current === undefined) return this.destroy()
    if (!this.#current.answerBegun) return this.#fail('NoAnswer', 'the server closed the connection')
    try {
      this.#parser.end()
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      this.#fail('Broken', error.message)
    }
  }

  #distrust(error: unknown): void {
    if (!(error instanceof MalformedMessage)) throw error
    if (this.#current === undefined) this.destroy()
    else this.#fail('Malformed', error.message)
  }

  #takeHead(head: AnswerHead): void {
    const current = this.#current
    if (current === undefined) return
    current.head = head
    current.unflushed = true
    this.#watch(current.request.stallTimeoutMs, 'Late', 'the answer stood still')
    current.reader.head(head)
  }

  #takeData(bytes: Buffer): void {
    const current = this.#current
    if (current === undefined) return
    current.unflushed = false
    if (current.reader.data(bytes)) this.#refresh()
    else if (this.#current === current) {
      this.#socket.pause()
      this.#watch(current.request.stallTimeoutMs, 'ReceiverLate', 'the answer was not taken')
    }
  }

  #resume(current: Current): void {
    if (this.#current !== current || !this.#socket.isPaused()) return
    this.#socket.resume()
    this.#watch(current.request.stallTimeoutMs, 'Late', 'the answer stood still')
  }

  #finish(): void {
    const current = this.#release()
    if (current === undefined) return
    this.#served++
    this.#socket.resume()
    // An answer that came before the whole request leaves the rest of it unsaid: the connection is of no more use.
    // Usable only once all that came was read: bytes behind the answer must not meet another request.
    if (current.requestSent && current.head?.keepAlive === true) this.#rest = { keepAliveMs: current.head.keepAliveMs }
    else this.#socket.destroy()
    current.reader.end()
  }

  #close(): void {
    clearTimeout(this.#timer)
    const why = this.#error?.message ?? 'the server closed the connection'
    if (!this.#connected) this.#fail('NotSent', why)
    else this.#fail(this.#current?.answerBegun === true ? 'Broken' : 'NoAnswer', why)
    this.#options.onClosed(this)
  }

  #fail(kind: UpstreamFailure['kind'], message: string): void {
    const current = this.#release()
    this.#socket.destroy()
    current?.reader.fail({ kind, reused: this.#served > 0, message })
  }

  #release(): Current | undefined {
    const current = this.#current
    this.#current = undefined
    this.#unwatch()
    if (current !== undefined && !current.requestSent) current.request.body.stop()
    return current
  }

  #watch(limitMs: number, kind: UpstreamFailure['kind'], what: string): void {
    this.#watched = { untilMs: performance.now() + limitMs, limitMs, kind, what }
    if (this.#timer !== undefined && this.#timerMs <= this.#watched.untilMs) return
    clearTimeout(this.#timer)
    this.#arm(limitMs)
  }

  #refresh(): void {
    if (this.#watched !== undefined) this.#watched.untilMs = performance.now() + this.#watched.limitMs
  }

  #unwatch(): void {
    this.#watched = undefined
  }

  /** A timer for each request would cost more than reading it: this one stays, and is set again when it rings too early. */
  #arm(afterMs: number): void {
    this.#timerMs = performance.now() + afterMs
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#watched === undefined) return
      const { untilMs, limitMs, kind, what } = this.#watched
      const leftMs = untilMs - performance.now()
      if (leftMs > 0) this.#arm(Math.ceil(leftMs))
      else this.#fail(kind, `${what} for ${limitMs} ms`)
    }, afterMs).unref() // The socket keeps the process alive for as long as something is owed.
  }
}
