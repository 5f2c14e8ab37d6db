import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasErrno } from '../../base/errors.ts'

const idleMs = 30 * 24 * 3_600_000
/** A build that still works on its draft is younger than that. */
const draftLifeMs = 3_600_000

/** Removes what nobody used for 30 days, and what killed builds left. Everything in here can be fetched again. */
export async function pruneFolders(folders: readonly string[], nowMs: number): Promise<void> {
  for (const folder of folders)
    for (const { path, isDraft, usedMs } of await listUse(folder)) {
      if (nowMs - usedMs > (isDraft ? draftLifeMs : idleMs)) await rm(path, { recursive: true, force: true })
      else if (!isDraft) await pruneDrafts(path, nowMs)
    }
}

async function pruneDrafts(folder: string, nowMs: number): Promise<void> {
  for (const { path, isDraft, usedMs } of await listUse(folder))
    if (isDraft && nowMs - usedMs > draftLifeMs) await rm(path, { recursive: true, force: true })
}

async function listUse(
  folder: string,
): Promise<{ readonly path: string; readonly isDraft: boolean; readonly usedMs: number }[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  })
  const found: { path: string; isDraft: boolean; usedMs: number }[] = []
  for (const name of names) {
    const path = join(folder, name)
    // Another build may remove it at this moment.
    const stats = await stat(path).catch(() => undefined)
    if (stats !== undefined) found.push({ path, isDraft: name.startsWith('.'), usedMs: stats.mtimeMs })
  }
  return found
}
