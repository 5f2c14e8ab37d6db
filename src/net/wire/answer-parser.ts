import { ChunkDecoder } from './chunks.ts'
import { HeadCollector } from './head-collector.ts'
import { type AnswerHead, MalformedMessage, parseAnswerHead } from './message-head.ts'

export interface AnswerSink {
  onHead(head: AnswerHead): void
  onData(bytes: Buffer): void
  onEnd(): void
}

const maxInformational = 16

/** Reads the answers on one connection, one after the other; the result does not depend on how the bytes are split. */
export class AnswerParser {
  readonly #sink: AnswerSink
  readonly #collector: HeadCollector
  #method = ''
  #state: 'Idle' | 'Head' | 'Length' | 'Chunked' | 'UntilClose' = 'Idle'
  #left = 0
  #informational = 0
  #chunks: ChunkDecoder | undefined

  constructor(sink: AnswerSink, maxHeadBytes: number) {
    this.#sink = sink
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
        case 'Length': {
          const end = Math.min(chunk.length, at + this.#left)
          this.#left -= end - at
          this.#sink.onData(chunk.subarray(at, end))
          at = end
          if (this.#left === 0) this.#finish()
          break
        }
        case 'Chunked':
          at = this.#chunks?.push(chunk, at) ?? at
          if (this.#chunks?.done === true) this.#finish()
          break
        case 'UntilClose':
          this.#sink.onData(at === 0 ? chunk : chunk.subarray(at))
          at = chunk.length
          break
      }
    }
  }

  /** The other side sends no more. */
  end(): void {
    if (this.#state === 'UntilClose') this.#finish()
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
    const { framing } = head
    if (framing.kind === 'Length') [this.#state, this.#left] = ['Length', framing.sizeBytes]
    else if (framing.kind === 'Chunked') {
      this.#chunks = new ChunkDecoder((bytes) => this.#sink.onData(bytes))
      this.#state = 'Chunked'
    } else if (framing.kind === 'UntilClose') this.#state = 'UntilClose'
    this.#sink.onHead(head)
    if (framing.kind === 'None') this.#finish()
  }

  #finish(): void {
    this.#state = 'Idle'
    this.#chunks = undefined
    this.#sink.onEnd()
  }
}
