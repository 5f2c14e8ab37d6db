import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../kit/containers/program.ts'

export interface TreeEntry {
  readonly kind: 'File' | 'Folder' | 'Link'
  /** Permission bits. */
  readonly mode: number
  /** `uid:gid`. */
  readonly owner: string
  readonly mtimeS: number
  /** The hash of a file, the target of a link, nothing of a folder. */
  readonly content: string
}

/** Where an image has what Towline puts into it. */
export const ownFolders = ['etc/towline', 'models', 'opt/towline']

/** All that lies below `root`, by its path from there. */
export function readTree(root: string): ReadonlyMap<string, TreeEntry> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()
  return new Map(paths.map((path) => [path, readEntry(join(root, path))]))
}

/** The part of a tree that Towline put there, or the rest of it. */
export function selectOwn(tree: ReadonlyMap<string, TreeEntry>, own: boolean): ReadonlyMap<string, TreeEntry> {
  const isOwn = (path: string): boolean => ownFolders.some((folder) => path === folder || path.startsWith(`${folder}/`))
  return new Map([...tree].filter(([path]) => isOwn(path) === own))
}

/** From path to kind and content. */
export function listContents(tree: ReadonlyMap<string, TreeEntry>): Readonly<Record<string, string>> {
  return Object.fromEntries([...tree].map(([path, { kind, content }]) => [path, `${kind} ${content}`]))
}

/** One image of an OCI layout (`DIR:NAME`) as the files it is made of, with their owners. Returns their root. */
export async function unpackLayout(image: string, folder: string): Promise<string> {
  await runProgram('umoci', ['unpack', '--image', image, folder])
  return join(folder, 'rootfs')
}

function readEntry(file: string): TreeEntry {
  const stats = lstatSync(file)
  const common = {
    mode: stats.mode & 0o7777,
    owner: `${stats.uid}:${stats.gid}`,
    mtimeS: Math.floor(stats.mtimeMs / 1000),
  }
  if (stats.isDirectory()) return { kind: 'Folder', ...common, content: '' }
  if (stats.isSymbolicLink()) return { kind: 'Link', ...common, content: readlinkSync(file) }
  return { kind: 'File', ...common, content: createHash('sha256').update(readFileSync(file)).digest('hex') }
}
