import type { Framing } from '../wire/message-head.ts'

/** Where a body comes from: a client's exchange. */
export interface BodySource {
  /** All that has come and all that will, as fast as it is taken. */
  read(reader: { data(bytes: Buffer): void; end(): void }): void
  resumeBody(): void
  pauseBody(): void
}

export interface BodySink {
  /** False: hold further bytes until `resume`. */
  write(bytes: Buffer): boolean
  end(): void
}

/** The bytes of a request. Each attempt to send it starts from the first byte again. */
export interface RequestBody {
  readonly framing: Framing
  start(sink: BodySink): void
  resume(): void
  /** The sink takes no more. */
  stop(): void
}

export function bufferBody(bytes: Buffer): RequestBody {
  return {
    framing: bytes.length === 0 ? { kind: 'None' } : { kind: 'Length', sizeBytes: bytes.length },
    start: (sink) => {
      if (bytes.length > 0) sink.write(bytes)
      sink.end()
    },
    resume: () => undefined,
    stop: () => undefined,
  }
}

/** Bytes that all requests together may keep for another attempt: what is kept costs memory while clients wait. */
export interface KeepBudget {
  freeBytes: number
}

export interface IncomingBodyOptions {
  readonly framing: Framing
  /** A body that grows beyond this is not kept, so that it can be sent only once. */
  readonly keepBytes: number
  readonly budget: KeepBudget
  readonly maxBytes: number
  /** More than `maxBytes` came. */
  readonly onTooLarge: () => void
}

/** The body of a request as it arrives, kept up to a limit for as long as another attempt may be needed. */
export class IncomingBody implements RequestBody {
  readonly framing: Framing
  readonly #source: BodySource
  readonly #options: IncomingBodyOptions
  #sink: BodySink | undefined
  #reading = false
  #ended = false
  #receivedBytes = 0
  /** References to the chunks as they came, not copies. Undefined: not kept, or no longer. */
  #kept: Buffer[] | undefined = []
  #keptBytes = 0

  constructor(source: BodySource, options: IncomingBodyOptions) {
    this.#source = source
    this.#options = options
    this.framing = options.framing
    this.#ended = options.framing.kind === 'None'
  }

  /** Every byte received so far is still here. */
  get replayable(): boolean {
    return this.#kept !== undefined
  }

  start(sink: BodySink): void {
    if (this.#kept === undefined) throw new Error('the body is gone and cannot be sent again')
    this.#sink = sink
    let free = true
    for (const bytes of this.#kept) free = sink.write(bytes)
    if (this.#ended) return sink.end()
    if (this.#reading) {
      if (free) this.#source.resumeBody()
      return
    }
    this.#reading = true
    this.#source.read({ data: (bytes) => this.#receive(bytes), end: () => this.#end() })
  }

  resume(): void {
    this.#source.resumeBody()
  }

  stop(): void {
    this.#sink = undefined
    if (!this.#ended) this.#source.pauseBody()
  }

  /** No other attempt will be made: the memory goes back. */
  forget(): void {
    this.#options.budget.freeBytes += this.#keptBytes
    this.#keptBytes = 0
    this.#kept = undefined
  }

  #receive(bytes: Buffer): void {
    // Without a sink this is the rest that is read only to be thrown away.
    if (this.#sink === undefined) return
    this.#receivedBytes += bytes.length
    if (this.#receivedBytes > this.#options.maxBytes) return this.#options.onTooLarge()
    if (this.#kept !== undefined) this.#keep(bytes)
    if (!this.#sink.write(bytes)) this.#source.pauseBody()
  }

  #keep(bytes: Buffer): void {
    const { budget, keepBytes } = this.#options
    if (this.#keptBytes + bytes.length > keepBytes || bytes.length > budget.freeBytes) return this.forget()
    this.#kept?.push(bytes)
    this.#keptBytes += bytes.length
    budget.freeBytes -= bytes.length
  }

  #end(): void {
    this.#ended = true
    this.#sink?.end()
  }
}
