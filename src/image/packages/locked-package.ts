import { TowlineError } from '../../base/errors.ts'

/** One npm package as a lock file names it. */
export interface LockedPackage {
  readonly name: string
  readonly version: string
  /** `sha512-…` of its tarball. */
  readonly integrity: string
  /** Where it is installed: `node_modules/pino`. */
  readonly path: string
  readonly license?: string
}

export function formatPackage({ name, version }: LockedPackage): string {
  return `${name}@${version}`
}

const integrityPattern = /^sha512-[A-Za-z0-9+/]{86}==$/

/** A name for a file or folder, from the integrity: 128 hexadecimal digits. TL_PACKAGE_MISMATCH for any other hash. */
export function fileNameOf(locked: LockedPackage): string {
  if (!integrityPattern.test(locked.integrity))
    throw new TowlineError(
      'TL_PACKAGE_MISMATCH',
      `${formatPackage(locked)} has the integrity ${JSON.stringify(locked.integrity)} in the lock, which is no sha512`,
      { hint: 'write the lock again with a recent npm' },
    )
  return Buffer.from(locked.integrity.slice('sha512-'.length), 'base64').toString('hex')
}
