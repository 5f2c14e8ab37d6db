import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { explainWrite } from '../../base/file/write-failure.ts'
import { hashFile } from '../../base/file/hash-file.ts'
import type { MendableCache } from '../mended-cache.ts'
import { fileNameOf, formatPackage, type LockedPackage } from './locked-package.ts'
import type { FetchPackages } from './npm-fetch.ts'
import { pruneFolders } from './prune-packages.ts'
import { removeDamagedFolders } from './unpacked-folder.ts'

/** npm packages by their integrity. Safe for two builds at once. `removeDamaged` is about the unpacked files. */
export interface PackageCache extends MendableCache {
  /**
   * The paths of the verified tarballs, in the order of `packages`; what is missing or damaged is fetched in one go.
   * TL_PACKAGE_MISMATCH when a registry gives something else than the lock names; TL_PACKAGE_UNAVAILABLE, TL_DISK_FULL,
   * TL_FILE_UNWRITABLE.
   */
  get(packages: readonly LockedPackage[], signal?: AbortSignal): Promise<readonly string[]>
  /** Where unpacked files are kept; see package-files.ts. */
  readonly unpacked: string
  /** Removes what nobody used for 30 days. */
  prune(nowMs: number): Promise<void>
}

/** The folder is made when it is needed. */
export function openPackageCache(folder: string, { fetch }: { readonly fetch: FetchPackages }): PackageCache {
  const tarballs = join(folder, 'tarballs')
  const pathOf = (locked: LockedPackage): string => join(tarballs, `${fileNameOf(locked)}.tgz`)
  return {
    unpacked: join(folder, 'unpacked'),
    removeDamaged: () => removeDamagedFolders(join(folder, 'unpacked')),
    prune: (nowMs) => pruneFolders([tarballs, join(folder, 'unpacked')], nowMs),
    get: async (packages, signal) => {
      try {
        const missing = new Map<string, LockedPackage>()
        for (const locked of packages)
          if ((await integrityOf(pathOf(locked))) !== locked.integrity) missing.set(pathOf(locked), locked)
        if (missing.size > 0) await fetchInto(tarballs, missing, fetch, signal)
      } catch (cause) {
        throw explainDisk(cause, tarballs)
      }
      return packages.map(pathOf)
    },
  }
}

/** `missing`: by the path where the tarball belongs. */
async function fetchInto(
  tarballs: string,
  missing: ReadonlyMap<string, LockedPackage>,
  fetch: FetchPackages,
  signal: AbortSignal | undefined,
): Promise<void> {
  await mkdir(tarballs, { recursive: true })
  // On the same disk, so that a verified tarball is moved in one step.
  const drafts = await mkdtemp(join(tarballs, '.fetching-'))
  try {
    const files = await fetch([...missing.values()], drafts, signal)
    const found = new Map<string, string>()
    for (const file of files) found.set((await integrityOf(file)) ?? '', file)
    // All or none: what came from a registry that gives something else is not worth keeping.
    for (const locked of missing.values())
      if (!found.has(locked.integrity)) throw explainMismatch(locked, missing, found)
    for (const [path, { integrity }] of missing) await rename(found.get(integrity) ?? '', path)
  } finally {
    await rm(drafts, { recursive: true, force: true })
  }
}

/** What came and was not asked for is most likely what came in place of this one. */
function explainMismatch(
  locked: LockedPackage,
  missing: ReadonlyMap<string, LockedPackage>,
  found: ReadonlyMap<string, string>,
): TowlineError {
  const wanted = new Set([...missing.values()].map(({ integrity }) => integrity))
  const strangers = [...found.keys()].filter((integrity) => !wanted.has(integrity))
  const came = strangers.length === 0 ? 'nothing' : strangers.join(' or ')
  return new TowlineError(
    'TL_PACKAGE_MISMATCH',
    `${formatPackage(locked)} is ${locked.integrity} in the lock, and ${came} arrived`,
    {
      hint: 'a registry or a proxy gives other bytes than the public one: see `npm config get registry`; nothing was kept',
    },
  )
}

/** Undefined when there is no such file. */
async function integrityOf(file: string): Promise<string | undefined> {
  try {
    return `sha512-${(await hashFile(file, 'sha512')).toString('base64')}`
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** What the disk says, in words; anything else as it is. */
export function explainDisk(cause: unknown, where: string): unknown {
  const isOfDisk = hasErrno(cause, 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST')
  return isOfDisk ? explainWrite(cause, `packages in ${where}`) : cause
}
