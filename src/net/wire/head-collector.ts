import { HeadTooLong } from './message-head.ts'

const headEnd = Buffer.from('\r\n\r\n')

/** Finds where a head ends, in whatever pieces its bytes come. */
export class HeadCollector {
  readonly #maxBytes: number
  /** The part of a head that came without its end. */
  #pending: Buffer | undefined
  #pendingBytes = 0
  /** In Latin-1, without the empty line that ends it; valid when `take` has found the end. */
  text = ''

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The index behind the head, or -1 when all of `chunk` was taken and the end has not come. Throws HeadTooLong. */
  take(chunk: Buffer, at: number): number {
    if (this.#pending === undefined) {
      const found = chunk.indexOf(headEnd, at)
      if (found !== -1) {
        if (found + 4 - at > this.#maxBytes) throw new HeadTooLong(this.#maxBytes)
        this.text = chunk.toString('latin1', at, found)
        return found + 4
      }
      this.#pending = Buffer.allocUnsafe(this.#maxBytes)
      this.#pendingBytes = 0
    }
    const before = this.#pendingBytes
    this.#pendingBytes += chunk.copy(this.#pending, before, at)
    const known = this.#pending.subarray(0, this.#pendingBytes)
    const found = known.indexOf(headEnd, Math.max(0, before - 3))
    if (found === -1) {
      if (this.#pendingBytes === this.#maxBytes) throw new HeadTooLong(this.#maxBytes)
      return -1
    }
    this.#pending = undefined
    this.text = known.toString('latin1', 0, found)
    return at + found + 4 - before
  }
}
