import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { hashOf } from '../base/canonical.ts'
import { TowlineError } from '../base/errors.ts'

/** A hash over the names and contents of a model's files, so that a model changed in place is a new revision. */
export async function printModel(path: string): Promise<string> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new TowlineError('TL_MODEL_MISSING', `${path} does not exist`)
  const files = stat.isDirectory() ? await listFiles(path) : [path]
  const parts: [name: string, sha256: string][] = []
  for (const file of files) parts.push([relative(path, file), await hashFile(file)])
  return hashOf(parts)
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    .toSorted()
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
