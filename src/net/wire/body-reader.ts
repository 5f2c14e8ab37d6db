import { ChunkDecoder } from './chunks.ts'
import type { Framing } from './message-head.ts'

/** Takes the messages on one connection, one after the other. */
export interface MessageSink<Head> {
  onHead(head: Head): void
  onData(bytes: Buffer): void
  onEnd(): void
}

/** One body after the other, each framed as its head said. */
export class BodyReader {
  readonly #onData: (bytes: Buffer) => void
  /** Without chunks; infinite: until the connection ends. */
  #left = 0
  #chunks: ChunkDecoder | undefined

  constructor(onData: (bytes: Buffer) => void) {
    this.#onData = onData
  }

  begin(framing: Framing): void {
    this.#left = framing.kind === 'Length' ? framing.sizeBytes : framing.kind === 'UntilClose' ? Infinity : 0
    this.#chunks = framing.kind === 'Chunked' ? new ChunkDecoder(this.#onData) : undefined
  }

  get done(): boolean {
    return this.#chunks === undefined ? this.#left === 0 : this.#chunks.done
  }

  get endsWithConnection(): boolean {
    return this.#left === Infinity
  }

  /** Takes bytes from `at` and returns where it stopped: at the end, or behind the body. Throws MalformedMessage. */
  push(chunk: Buffer, at: number): number {
    if (this.#chunks !== undefined) return this.#chunks.push(chunk, at)
    const end = Math.min(chunk.length, at + this.#left)
    this.#left -= end - at
    this.#onData(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end))
    return end
  }
}
