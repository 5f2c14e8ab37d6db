import { posix } from 'node:path'
import { TowlineError } from '../../base/errors.ts'

/** One file or link of a layer. Folders are not listed: each parent comes once, as 0755. Owner is always 0:0. */
export type LayerEntry = FileEntry | LinkEntry

export interface FileEntry {
  readonly kind: 'File'
  /** From the root of the image, without a leading `/`: `app/model/model.onnx`. */
  readonly path: string
  readonly mode: 0o644 | 0o755
  readonly content: FileContent
}

/** A symbolic link. */
export interface LinkEntry {
  readonly kind: 'Link'
  readonly path: string
  /** As it is written into the link: relative to the link's folder, or from the image's root with a leading `/`. */
  readonly target: string
}

export type FileContent =
  | { readonly kind: 'Bytes'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'Disk'
      readonly file: string
      readonly sizeBytes: number
      /** In hexadecimal, when it is known: what is read must be that. */
      readonly sha256?: string
    }

const maxPathBytes = 4096
/** Of Linux file systems: a longer one could not be unpacked. */
const maxPartBytes = 255
/** A file of this name in a layer deletes one of a lower layer. */
const whiteoutPrefix = '.wh.'

/**
 * The entries by the bytes of their paths, which does not depend on locale or disk. TL_CONTEXT_REFUSED for a path or a
 * target that no image may hold, for a path that is there twice, and for a file that is also used as a folder.
 */
export function arrangeEntries(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const paths = new Set<string>()
  for (const entry of entries) {
    const fault =
      findPathFault(entry.path) ?? (entry.kind === 'Link' ? findTargetFault(entry.path, entry.target) : undefined)
    if (fault !== undefined) throw refuse(entry.path, fault)
    if (paths.has(entry.path)) throw refuse(entry.path, 'is there twice')
    paths.add(entry.path)
  }
  for (const path of paths) {
    const file = parentsOf(path).find((parent) => paths.has(parent))
    if (file !== undefined) throw refuse(path, `lies in ${JSON.stringify(file)}, which is no folder`)
  }
  return entries
    .map((entry) => ({ entry, bytes: Buffer.from(entry.path) }))
    .toSorted((a, b) => a.bytes.compare(b.bytes))
    .map(({ entry }) => entry)
}

/** `a/b/c` gives `a`, `a/b`. */
export function parentsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** Why no image may hold this path; undefined when it may. The name is kept as it is, never put into a normal form. */
export function findPathFault(path: string): string | undefined {
  if (!path.isWellFormed()) return 'is not valid Unicode'
  if (path.includes('\0')) return 'holds a NUL character'
  if (Buffer.byteLength(path) > maxPathBytes) return `is longer than ${maxPathBytes} bytes`
  const parts = path.split('/')
  if (parts.includes('')) return 'is absolute or has an empty part'
  if (parts.includes('..') || parts.includes('.')) return 'has a part that is . or ..'
  if (parts.some((part) => Buffer.byteLength(part) > maxPartBytes))
    return `has a part longer than ${maxPartBytes} bytes`
  if (parts.some((part) => part.startsWith(whiteoutPrefix)))
    return `has a part that begins with ${whiteoutPrefix}, which deletes files of an image`
  return undefined
}

function findTargetFault(path: string, target: string): string | undefined {
  const shown = `links to ${JSON.stringify(target)}, which`
  if (target === '' || target.includes('\0') || !target.isWellFormed()) return `${shown} is no path`
  if (Buffer.byteLength(target) > maxPathBytes) return `${shown} is longer than ${maxPathBytes} bytes`
  // An absolute target begins at the image's root. `..` at the root stays there, but whoever wrote it meant more.
  const joined = target.startsWith('/') ? `.${target}` : posix.join(posix.dirname(path), target)
  if (posix.normalize(joined).split('/')[0] === '..') return `${shown} leads out of the image`
  return undefined
}

function refuse(path: string, fault: string): TowlineError {
  return new TowlineError('TL_CONTEXT_REFUSED', `${JSON.stringify(path)} ${fault}`, {
    hint: 'rename the file or leave it out of the image',
  })
}
