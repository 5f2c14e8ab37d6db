import { posix } from 'node:path'
import type { FileEntry } from '../layer/entry.ts'
import type { LockedPackage } from './locked-package.ts'
import { explainDisk, type PackageCache } from './package-cache.ts'
import { type KeptFiles, recallPackage, unpackPackage } from './unpacked-package.ts'

/**
 * The kept files of these packages as entries below `imageFolder`, each where the lock puts its package. A package is
 * unpacked once for the same rule, and its tarball fetched only then. Only a program that the package names in `bin`
 * and that is native code can be executed in the image. Contents are not read: whoever reads them uses `retryMended`, so that
 * damaged ones are unpacked again. What `PackageCache.get` throws; TL_PACKAGE_MISMATCH.
 */
export async function packageEntries(
  cache: PackageCache,
  packages: readonly LockedPackage[],
  choose: (locked: LockedPackage) => KeptFiles,
  imageFolder: string,
  signal?: AbortSignal,
): Promise<readonly FileEntry[]> {
  try {
    const recall = (locked: LockedPackage) => recallPackage(cache.unpacked, locked, choose(locked))
    const found = await Promise.all(packages.map(recall))
    const missing = packages.filter((_, index) => found[index] === undefined)
    const tarballs = await cache.get(missing, signal)
    for (const [index, locked] of missing.entries()) {
      signal?.throwIfAborted()
      await unpackPackage(cache.unpacked, locked, choose(locked), tarballs[index] ?? '')
    }
    const entries: FileEntry[] = []
    for (const [index, locked] of packages.entries())
      entries.push(...(found[index] ?? (await recall(locked)) ?? failAsBug(locked)))
    return entries.map((entry) => ({ ...entry, path: posix.join(imageFolder, entry.path) }))
  } catch (cause) {
    throw explainDisk(cause, cache.unpacked)
  }
}

function failAsBug(locked: LockedPackage): never {
  throw new Error(`${locked.name} was unpacked and is not there`)
}
