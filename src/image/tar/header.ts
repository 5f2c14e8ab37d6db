/**
 * Headers of a tar archive, written here to the byte: the digest of a layer hangs on each. The form is POSIX ustar, with a
 * PAX record before it only for what ustar cannot say.
 */
export const blockBytes = 512

export interface TarHeader {
  readonly kind: 'File' | 'Link' | 'Folder'
  /** Without a trailing `/`. */
  readonly path: string
  readonly mode: number
  readonly sizeBytes: number
  readonly mtimeS: number
  /** Of a link. */
  readonly target?: string
}

const typeFlags = { File: '0', Link: '2', Folder: '5' } as const
const maxNameBytes = 100
const maxPrefixBytes = 155
/** Eleven octal digits. */
const maxOctalSize = 0o77777777777
/** The same for all: some tools write their process id or the file's own name, cut somewhere. */
const paxName = '././@PaxHeader'

/** One block, or three and more when a PAX record comes first. */
export function encodeHeader(header: TarHeader): Buffer {
  const { kind, sizeBytes, target = '' } = header
  const path = kind === 'Folder' ? `${header.path}/` : header.path
  const split = splitPath(path)
  const records = [
    ...(split === undefined ? [encodeRecord('path', path)] : []),
    ...(Buffer.byteLength(target) > maxNameBytes ? [encodeRecord('linkpath', target)] : []),
    ...(sizeBytes > maxOctalSize ? [encodeRecord('size', String(sizeBytes))] : []),
  ]
  const own = encodeBlock({
    ...(split ?? { name: path, prefix: '' }),
    typeFlag: typeFlags[kind],
    mode: header.mode,
    // Zero is what readers expect where PAX says more.
    sizeBytes: sizeBytes > maxOctalSize ? 0 : sizeBytes,
    mtimeS: header.mtimeS,
    target,
  })
  if (records.length === 0) return own
  const pax = Buffer.concat(records)
  const lead = { name: paxName, prefix: '', typeFlag: 'x', mode: 0o644, mtimeS: header.mtimeS, target: '' }
  return Buffer.concat([encodeBlock({ ...lead, sizeBytes: pax.length }), pax, paddingFor(pax.length), own])
}

/** Zeros up to the next block. */
export function paddingFor(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes)
}

interface Block {
  readonly name: string
  readonly prefix: string
  readonly typeFlag: string
  readonly mode: number
  readonly sizeBytes: number
  readonly mtimeS: number
  readonly target: string
}

function encodeBlock({ name, prefix, typeFlag, mode, sizeBytes, mtimeS, target }: Block): Buffer {
  const block = Buffer.alloc(blockBytes)
  // `write` never leaves half a character where a name is cut.
  block.write(name, 0, maxNameBytes)
  block.write(octal(mode, 7), 100)
  block.write(octal(0, 7), 108) // user
  block.write(octal(0, 7), 116) // group
  block.write(octal(sizeBytes, 11), 124)
  block.write(octal(mtimeS, 11), 136)
  block.write(typeFlag, 156)
  block.write(target, 157, maxNameBytes)
  block.write('ustar\x0000', 257)
  block.write(octal(0, 7), 329) // device
  block.write(octal(0, 7), 337)
  block.write(prefix, 345, maxPrefixBytes)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

/** A name of at most 100 bytes after a prefix of at most 155, cut at the last `/` that fits; undefined when none does. */
function splitPath(path: string): { readonly name: string; readonly prefix: string } | undefined {
  if (Buffer.byteLength(path) <= maxNameBytes) return { name: path, prefix: '' }
  for (let at = path.lastIndexOf('/', path.length - 2); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const name = path.slice(at + 1)
    if (Buffer.byteLength(name) > maxNameBytes) return undefined
    const prefix = path.slice(0, at)
    if (Buffer.byteLength(prefix) <= maxPrefixBytes) return { name, prefix }
  }
  return undefined
}

/** `LENGTH key=value\n`, where the length counts its own digits. */
function encodeRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  length = rest + String(length).length
  return Buffer.from(`${length} ${key}=${value}\n`)
}
