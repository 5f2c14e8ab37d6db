import { ChunkDecoder } from './chunks.ts'
import { HeadCollector } from './head-collector.ts'
import { MalformedMessage, type RequestHead, parseRequestHead } from './message-head.ts'

export interface RequestSink {
  onHead(head: RequestHead): void
  onData(bytes: Buffer): void
  onEnd(): void
}

const cr = 13
const lf = 10
/** Old clients end a body with an empty line that belongs to nothing: RFC 9112 section 2.2. */
const maxBlankBytes = 4

/** Reads the requests on one connection; the result does not depend on how the bytes are split. */
export class RequestParser {
  readonly #sink: RequestSink
  readonly #collector: HeadCollector
  #state: 'Idle' | 'Head' | 'Length' | 'Chunked' = 'Idle'
  #left = 0
  #blankBytes = 0
  #chunks: ChunkDecoder | undefined

  constructor(sink: RequestSink, maxHeadBytes: number) {
    this.#sink = sink
    this.#collector = new HeadCollector(maxHeadBytes)
  }

  /** Between two requests: nothing of the next one has come. */
  get idle(): boolean {
    return this.#state === 'Idle'
  }

  /** Takes bytes from `at` and returns where it stopped: at the end, or behind the end of a request. Throws MalformedMessage. */
  push(chunk: Buffer, at: number): number {
    while (at < chunk.length) {
      switch (this.#state) {
        case 'Idle':
          if (chunk[at] === cr || chunk[at] === lf) {
            if (++this.#blankBytes > maxBlankBytes) throw new MalformedMessage('empty lines where a request should be')
            at++
          } else this.#state = 'Head'
          break
        case 'Head': {
          const next = this.#collector.take(chunk, at)
          if (next === -1) return chunk.length
          at = next
          if (this.#begin(parseRequestHead(this.#collector.text))) return at
          break
        }
        case 'Length': {
          const end = Math.min(chunk.length, at + this.#left)
          this.#left -= end - at
          this.#sink.onData(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end))
          at = end
          if (this.#left > 0) break
          this.#finish()
          return at
        }
        case 'Chunked':
          at = this.#chunks?.push(chunk, at) ?? at
          if (this.#chunks?.done !== true) break
          this.#finish()
          return at
      }
    }
    return at
  }

  /** True when the request has no body and is over with its head. */
  #begin(head: RequestHead): boolean {
    const { framing } = head
    this.#blankBytes = 0
    if (framing.kind === 'Length') [this.#state, this.#left] = ['Length', framing.sizeBytes]
    else if (framing.kind === 'Chunked') {
      this.#chunks = new ChunkDecoder((bytes) => this.#sink.onData(bytes))
      this.#state = 'Chunked'
    }
    this.#sink.onHead(head)
    if (framing.kind !== 'None') return false
    this.#finish()
    return true
  }

  #finish(): void {
    this.#state = 'Idle'
    this.#chunks = undefined
    this.#sink.onEnd()
  }
}
