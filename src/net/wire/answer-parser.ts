import { BodyReader, type MessageSink } from './body-reader.ts'
import { HeadCollector } from './head-collector.ts'
import { type AnswerHead, MalformedMessage, parseAnswerHead } from './message-head.ts'

const maxInformational = 16

/** Reads the answers on one connection, one after the other; the result does not depend on how the bytes are split. */
export class AnswerParser {
  readonly #sink: MessageSink<AnswerHead>
  readonly #body: BodyReader
  readonly #collector: HeadCollector
  #method = ''
  #state: 'Idle' | 'Head' | 'Body' = 'Idle'
  #informational = 0

  constructor(sink: MessageSink<AnswerHead>, maxHeadBytes: number) {
    this.#sink = sink
    this.#body = new BodyReader((bytes) => sink.onData(bytes))
    this.#collector = new HeadCollector(maxHeadBytes)
  }

  /** A request with this method was sent: the next bytes answer it. */
  expect(method: string): void {
    if (this.#state !== 'Idle') throw new Error('an answer is still owed on this connection')
    this.#method = method
    this.#informational = 0
    this.#state = 'Head'
  }

  /** Throws MalformedMessage, also for bytes that nobody asked for. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      switch (this.#state) {
        case 'Idle':
          throw new MalformedMessage(`${chunk.length - at} bytes came after the end of the answer`)
        case 'Head':
          at = this.#readHead(chunk, at)
          break
        case 'Body':
          at = this.#body.push(chunk, at)
          if (this.#body.done) this.#finish()
          break
      }
    }
  }

  /** The other side sends no more. */
  end(): void {
    if (this.#state === 'Body' && this.#body.endsWithConnection) this.#finish()
    else if (this.#state !== 'Idle') throw new MalformedMessage('the connection ended within the answer')
  }

  #readHead(chunk: Buffer, at: number): number {
    const next = this.#collector.take(chunk, at)
    if (next === -1) return chunk.length
    this.#takeHead(this.#collector.text)
    return next
  }

  #takeHead(text: string): void {
    const head = parseAnswerHead(text, this.#method)
    if (head.status < 200) {
      // 101 would change the protocol, which this client never asks for; the others are news that nobody waits for.
      if (head.status === 101) throw new MalformedMessage('the protocol was switched unasked')
      if (++this.#informational > maxInformational) throw new MalformedMessage('too many 1xx answers')
      return
    }
    this.#state = 'Body'
    this.#body.begin(head.framing)
    this.#sink.onHead(head)
    if (this.#body.done) this.#finish()
  }

  #finish(): void {
    this.#state = 'Idle'
    this.#sink.onEnd()
  }
}
