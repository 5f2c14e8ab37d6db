import { BodyReader, type MessageSink } from './body-reader.ts'
import { HeadCollector } from './head-collector.ts'
import { MalformedMessage, type RequestHead, parseRequestHead } from './message-head.ts'

const cr = 13
const lf = 10
/** Old clients end a body with an empty line that belongs to nothing: RFC 9112 section 2.2. */
const maxBlankBytes = 4

/** Reads the requests on one connection; the result does not depend on how the bytes are split. */
export class RequestParser {
  readonly #sink: MessageSink<RequestHead>
  readonly #body: BodyReader
  readonly #collector: HeadCollector
  #state: 'Idle' | 'Head' | 'Body' = 'Idle'
  #blankBytes = 0

  constructor(sink: MessageSink<RequestHead>, maxHeadBytes: number) {
    this.#sink = sink
    this.#body = new BodyReader((bytes) => sink.onData(bytes))
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
        case 'Body':
          at = this.#body.push(chunk, at)
          if (!this.#body.done) break
          this.#finish()
          return at
      }
    }
    return at
  }

  /** True when the request has no body and is over with its head. */
  #begin(head: RequestHead): boolean {
    this.#blankBytes = 0
    this.#state = 'Body'
    this.#body.begin(head.framing)
    this.#sink.onHead(head)
    if (!this.#body.done) return false
    this.#finish()
    return true
  }

  #finish(): void {
    this.#state = 'Idle'
    this.#sink.onEnd()
  }
}
