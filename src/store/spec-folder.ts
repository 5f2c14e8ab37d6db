import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { explainWrite } from '../base/file/write-failure.ts'

/**
 * A folder in `.towline/` beside a spec: for what belongs to the spec rather than to an engine, such as attestations and
 * images. Makes it where it is missing, readable by its owner alone. TL_FILE_UNWRITABLE, TL_DISK_FULL.
 */
export function openSpecFolder(specDir: string, name: string): string {
  const folder = specFolder(specDir, name)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const ignore = join(specDir, '.towline', '.gitignore')
    // Nothing in here belongs into a repository.
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n')
  } catch (cause) {
    throw explainWrite(cause, folder)
  }
  return folder
}

/** Where it is or would be. */
export function specFolder(specDir: string, name: string): string {
  return join(specDir, '.towline', name)
}
