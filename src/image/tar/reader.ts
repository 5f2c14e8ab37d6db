import { TowlineError } from '../../base/errors.ts'

/** Bytes that are read in order. */
export interface ByteSource {
  /** The next bytes; fewer only where the source ends. */
  read(sizeBytes: number): Promise<Buffer>
  /** Passes over bytes without keeping them. False when the source ends before. */
  skip(sizeBytes: number): Promise<boolean>
}

export interface TarEntry {
  /** Without `./` and `/` at its ends. */
  readonly path: string
  /** Exactly as it stands in the archive. */
  readonly writtenPath: string
  readonly kind: 'File' | 'Link' | 'HardLink' | 'Folder' | 'Other'
  /** Of both kinds of links. */
  readonly target: string
  readonly sizeBytes: number
  /** Of the content, from the beginning of the archive. */
  readonly startByte: number
  /** The content, before the next entry is asked for. TL_IMAGE_UNREADABLE when it has more than `maxBytes`. */
  read(maxBytes: number): Promise<Buffer>
  /** The same in pieces, however large it is, to its end. */
  pieces(): AsyncIterable<Buffer>
}

const blockBytes = 512
const pieceBytes = 1 << 20
/** Long names and their like. */
const maxMetaBytes = 1 << 20
const kinds: Readonly<Record<string, TarEntry['kind']>> = {
  '\0': 'File',
  '0': 'File',
  '7': 'File',
  '1': 'HardLink',
  '2': 'Link',
  '5': 'Folder',
}

/** What a record before an entry says in its place. */
interface Override {
  readonly path?: string
  readonly target?: string
  readonly sizeBytes?: number
}

/**
 * The entries of a tar archive as POSIX and GNU write it. Contents that are not read are passed over. TL_IMAGE_UNREADABLE,
 * with `place`, for what is no tar archive or ends in the middle.
 */
export async function* readTar(source: ByteSource, place: string): AsyncGenerator<TarEntry> {
  let override: Override = {}
  let atByte = 0
  for (;;) {
    const block = await source.read(blockBytes)
    atByte += blockBytes
    if (block.every((byte) => byte === 0)) return
    const header = decodeHeader(block, place)
    const isMeta = 'xgLK'.includes(header.flag)
    const sizeBytes = isMeta || !header.hasContent ? header.sizeBytes : (override.sizeBytes ?? header.sizeBytes)
    // Below zero the reader would go backwards, for ever.
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
      throw unreadable(place, `${header.path} has no size that can be read`)
    const startByte = atByte
    const paddedBytes = Math.ceil(sizeBytes / blockBytes) * blockBytes
    atByte += paddedBytes
    const readAll = async (maxBytes: number, path: string): Promise<Buffer> => {
      if (sizeBytes > maxBytes) throw unreadable(place, `${path} has ${sizeBytes} bytes, at most ${maxBytes} are read`)
      const bytes = await source.read(paddedBytes)
      if (bytes.length < sizeBytes) throw unreadable(place, `it ends in the middle of ${path}`)
      return bytes.subarray(0, sizeBytes)
    }
    if (isMeta) {
      override = { ...override, ...decodeMeta(header.flag, await readAll(maxMetaBytes, 'a record'), place) }
      continue
    }
    const writtenPath = override.path ?? header.path
    const path = trimPath(writtenPath)
    let isRead = false
    const readPieces = async function* (): AsyncGenerator<Buffer> {
      isRead = true
      for (let left = sizeBytes; left > 0;) {
        const piece = await source.read(Math.min(left, pieceBytes))
        if (piece.length === 0) throw unreadable(place, `it ends in the middle of ${path}`)
        left -= piece.length
        yield piece
      }
      await source.skip(paddedBytes - sizeBytes)
    }
    yield {
      path,
      writtenPath,
      kind: kinds[header.flag] ?? 'Other',
      target: override.target ?? header.target,
      sizeBytes,
      startByte,
      read: (maxBytes) => {
        isRead = sizeBytes <= maxBytes
        return readAll(maxBytes, path)
      },
      pieces: readPieces,
    }
    if (!isRead && !(await source.skip(paddedBytes))) throw unreadable(place, `it ends in the middle of ${path}`)
    override = {}
  }
}

/** A source over chunks as they come. */
export function sourceOf(chunks: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()
  const take = async (sizeBytes: number, use: (part: Uint8Array) => void): Promise<boolean> => {
    for (let left = sizeBytes; left > 0;) {
      if (rest.length === 0) {
        const next = await iterator.next()
        if (next.done === true) return false
        rest = next.value
      }
      const part = rest.subarray(0, left)
      rest = rest.subarray(part.length)
      left -= part.length
      use(part)
    }
    return true
  }
  return {
    read: async (sizeBytes) => {
      const parts: Uint8Array[] = []
      await take(sizeBytes, (part) => parts.push(part))
      return Buffer.concat(parts)
    },
    skip: (sizeBytes) => take(sizeBytes, () => undefined),
  }
}

function decodeHeader(block: Buffer, place: string) {
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  if (block.length < blockBytes || decodeNumber(block.subarray(148, 156)) !== sum)
    throw unreadable(place, 'it is no tar archive, or damaged')
  const prefix = block.subarray(257, 263).toString('latin1') === 'ustar\0' ? decodeText(block.subarray(345, 500)) : ''
  const name = decodeText(block.subarray(0, 100))
  const flag = String.fromCharCode(block[156] ?? 0)
  // Links and folders have no content, whatever some writers put there.
  const hasContent = !'12345'.includes(flag)
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    target: decodeText(block.subarray(157, 257)),
    sizeBytes: hasContent ? decodeNumber(block.subarray(124, 136)) : 0,
    hasContent,
    flag,
  }
}

function decodeMeta(flag: string, bytes: Buffer, place: string): Override {
  switch (flag) {
    case 'x':
      return decodePax(bytes, place)
    case 'L':
      return { path: decodeText(bytes) }
    case 'K':
      return { target: decodeText(bytes) }
    default:
      return {} // for the whole archive: nothing that is looked at here
  }
}

/** `LENGTH key=value\n`, again and again. */
function decodePax(bytes: Buffer, place: string): Override {
  const found = new Map<string, string>()
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at)
    const length = parseDigits(bytes.subarray(at, Math.max(at, space)).toString('latin1'))
    const end = at + length
    if (!(end > space && end <= bytes.length)) throw unreadable(place, 'a record of it cannot be read')
    const record = bytes.subarray(space + 1, end - 1).toString()
    const equals = record.indexOf('=')
    // Without a value a record takes back what stood before.
    const value = record.slice(equals + 1)
    if (value === '') found.delete(record.slice(0, equals))
    else found.set(record.slice(0, equals), value)
    at = end
  }
  const [path, target, size] = [found.get('path'), found.get('linkpath'), found.get('size')]
  return {
    ...(path === undefined ? {} : { path }),
    ...(target === undefined ? {} : { target }),
    ...(size === undefined ? {} : { sizeBytes: parseDigits(size) }),
  }
}

/** Not what `Number` also takes: signs, fractions, nothing at all. */
function parseDigits(digits: string): number {
  return /^\d+$/.test(digits) ? Number(digits) : Number.NaN
}

function decodeText(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.subarray(0, end === -1 ? bytes.length : end).toString()
}

/** Octal digits, or GNU's form for large values: the first bit set, then binary. */
function decodeNumber(bytes: Buffer): number {
  const first = bytes[0] ?? 0
  if (first & 0x80) return bytes.subarray(1).reduce((value, byte) => value * 256 + byte, first & 0x7f)
  const digits = decodeText(bytes).trim()
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

function trimPath(path: string): string {
  return path.replace(/^(\.?\/)+/, '').replace(/\/+$/, '')
}

function unreadable(place: string, why: string): TowlineError {
  return new TowlineError('TL_IMAGE_UNREADABLE', `${place}: ${why}`)
}
