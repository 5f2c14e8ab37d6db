import { posix } from 'node:path'
import type { BlobReader } from '../oci/blobs.ts'
import type { Digest } from '../oci/descriptor.ts'
import type { Manifest } from '../oci/manifest.ts'
import { type InstalledPackage, type OsRelease, parseDpkgStatus, parseOsRelease } from './dpkg-status.ts'
import { type FoundFiles, type Wanted, scanLayer } from './layer-scan.ts'

/** What is known of a base from the files in it. */
export interface BaseContents {
  /** By name, then architecture. */
  readonly packages: readonly InstalledPackage[]
  readonly osRelease: OsRelease | undefined
  /** Undefined for a base without one, such as `scratch`. */
  readonly libc: 'glibc' | 'musl' | undefined
  /** `libstdc++.so.6`, which programs in C++ need. */
  readonly hasCppLibrary: boolean
}

const status = 'var/lib/dpkg/status'
/** Distroless images have a file for each package here. */
const statusFile = /^var\/lib\/dpkg\/status\.d\/(?!.*\.md5sums$)[^/]+$/
const releaseFile = /^(etc\/os-release|usr\/lib\/(os-release|os\.release\.d\/.+))$/
const libraries = /^(?:usr\/)?(?:local\/)?lib\w*\/(?:.+\/)?([^/]+)$/
const libraryNames = {
  musl: /^ld-musl-[^/]+\.so\.1$/,
  glibcLoader: /^ld-linux[^/]*\.so\.\d$|^ld64\.so\.\d$/,
  glibc: /^libc\.so\.6(\.1)?$/,
  cpp: /^libstdc\+\+\.so\.6$/,
}

/** Reads each layer once, from the bottom to the top. TL_IMAGE_UNREADABLE, TL_BLOB_MISMATCH. */
export async function readBaseContents(
  { layers }: Manifest,
  blobs: BlobReader,
  diffIds: readonly Digest[] = [],
): Promise<BaseContents> {
  let files: FoundFiles = new Map()
  for (const [at, layer] of layers.entries()) files = await scanLayer(layer, blobs, files, wanted, diffIds[at])
  const release = textOf(files, 'etc/os-release') ?? textOf(files, 'usr/lib/os-release')
  return {
    packages: listPackages(files),
    osRelease: release === undefined ? undefined : parseOsRelease(release),
    libc: detectLibc(files),
    hasCppLibrary: hasLibrary(files, libraryNames.cpp),
  }
}

const wanted: Wanted = (path) => {
  if (path === status || statusFile.test(path) || releaseFile.test(path)) return 'Content'
  const name = libraries.exec(path)?.[1]
  return name !== undefined && Object.values(libraryNames).some((form) => form.test(name)) ? 'Presence' : undefined
}

function listPackages(files: FoundFiles): readonly InstalledPackage[] {
  const paths = [...files.keys()].filter((path) => path === status || statusFile.test(path)).toSorted()
  const packages = new Map<string, InstalledPackage>()
  for (const path of paths)
    for (const entry of parseDpkgStatus(textOf(files, path) ?? ''))
      packages.set(`${entry.name} ${entry.architecture}`, entry)
  return [...packages].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

/** Each may be installed beside the other: Debian has musl for building, Alpine a loader that passes for glibc's. */
function detectLibc(files: FoundFiles): BaseContents['libc'] {
  const isMusl = hasLibrary(files, libraryNames.musl)
  const isGlibc = hasLibrary(files, libraryNames.glibcLoader)
  if (isMusl && isGlibc) return hasLibrary(files, libraryNames.glibc) ? 'glibc' : 'musl'
  return isMusl ? 'musl' : isGlibc ? 'glibc' : undefined
}

function hasLibrary(files: FoundFiles, form: RegExp): boolean {
  return [...files.keys()].some((path) => form.test(libraries.exec(path)?.[1] ?? ''))
}

/** Over links as they are inside the image: an absolute one begins at its root, and none leads out of it. */
function textOf(files: FoundFiles, path: string): string | undefined {
  let at = path
  for (let hops = 0; hops < 8; hops += 1) {
    const file = files.get(at)
    if (file?.kind !== 'Link') return file?.bytes === undefined ? undefined : new TextDecoder().decode(file.bytes)
    at = posix.resolve('/', posix.dirname(at), file.target).slice(1)
  }
  return undefined
}
