import { MalformedMessage, parseFields } from './message-head.ts'

type ChunkState = 'Size' | 'Extension' | 'SizeLf' | 'Data' | 'DataCr' | 'DataLf' | 'Trailer' | 'Done'

const cr = 13
const lf = 10
/** 13 hexadecimal digits stay exact in a number. */
const maxSizeDigits = 13
const maxExtensionBytes = 256
const maxTrailerBytes = 8192

/** One chunked body, in whatever pieces its bytes come. Extensions and trailer are checked and dropped. */
export class ChunkDecoder {
  readonly #onData: (bytes: Buffer) => void
  #state: ChunkState = 'Size'
  #left = 0
  /** Digits of the size, then bytes of its extension. */
  #count = 0
  #trailer = ''

  constructor(onData: (bytes: Buffer) => void) {
    this.#onData = onData
  }

  get done(): boolean {
    return this.#state === 'Done'
  }

  /** Takes bytes of `chunk` from `at` and returns where it stopped: at the end, or behind the body. */
  push(chunk: Buffer, at: number): number {
    while (at < chunk.length && this.#state !== 'Done') {
      if (this.#state === 'Data') {
        const end = Math.min(chunk.length, at + this.#left)
        this.#left -= end - at
        this.#onData(chunk.subarray(at, end))
        at = end
        if (this.#left === 0) this.#state = 'DataCr'
      } else this.#step(chunk[at++] ?? 0)
    }
    return at
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'Size':
        return this.#readSize(byte)
      case 'Extension':
        if (byte === cr) this.#state = 'SizeLf'
        else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f || ++this.#count > maxExtensionBytes)
          throw new MalformedMessage('a chunk has a bad extension')
        return
      case 'SizeLf':
        need(byte, lf)
        this.#count = 0
        this.#state = this.#left === 0 ? 'Trailer' : 'Data'
        return
      case 'DataCr':
        need(byte, cr)
        this.#state = 'DataLf'
        return
      case 'DataLf':
        need(byte, lf)
        this.#state = 'Size'
        return
      case 'Trailer':
        return this.#readTrailer(byte)
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== undefined) {
      if (++this.#count > maxSizeDigits) throw new MalformedMessage('a chunk is larger than can be')
      this.#left = this.#left * 16 + digit
    } else if (this.#count === 0) throw new MalformedMessage(`a chunk has no size but byte ${byte}`)
    else if (byte === cr) this.#state = 'SizeLf'
    else if (byte === 0x3b) [this.#state, this.#count] = ['Extension', 0]
    else throw new MalformedMessage(`byte ${byte} stands in the size of a chunk`)
  }

  #readTrailer(byte: number): void {
    this.#trailer += String.fromCharCode(byte)
    if (this.#trailer === '\r\n') this.#state = 'Done'
    else if (byte === lf && this.#trailer.endsWith('\r\n\r\n')) {
      parseFields(this.#trailer.slice(0, -4))
      this.#state = 'Done'
    } else if (this.#trailer.length >= maxTrailerBytes) throw new MalformedMessage('the trailer is too long')
  }
}

function need(byte: number, wanted: number): void {
  if (byte !== wanted) throw new MalformedMessage(`byte ${byte} stands where a chunk's line must end`)
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined
}
