import { statSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '../../base/canonical.ts'
import type { FileEntry, LayerEntry } from '../layer/entry.ts'
import { type LayerContent, imagePaths } from '../plan/build-plan.ts'
import type { Cpu } from '../runtime/recipe.ts'
import { fileRule, isKept } from '../runtime/recipe.ts'
import { type LockedCode, imageFolderOf } from '../runtime/runtime-lock.ts'
import type { PackageCache } from '../packages/package-cache.ts'
import { packageEntries } from '../packages/package-files.ts'
import type { LockedPackage } from '../packages/locked-package.ts'
import type { KeptFiles } from '../packages/unpacked-package.ts'

/** Where the bytes of a plan come from. */
export interface LayerSources {
  readonly packages: PackageCache
  /** Folder of Towline's own built code. */
  readonly codeRoot: string
  readonly signal?: AbortSignal
}

/** Every file of one layer. */
export async function listEntries(
  content: LayerContent,
  sources: LayerSources,
  cpu: Cpu,
): Promise<readonly LayerEntry[]> {
  switch (content.kind) {
    case 'Packages': {
      const placed = content.packages.map((entry) => ({ ...entry, path: imageFolderOf(entry) }))
      const choose = ({ name }: LockedPackage): KeptFiles => {
        const rule = fileRule(name, cpu)
        return { key: canonicalJson(rule), keeps: (path) => isKept(rule, path) }
      }
      return await packageEntries(sources.packages, placed, choose, imagePaths.home.slice(1), sources.signal)
    }
    case 'Model':
      return content.files.map(({ name, file, sizeBytes, sha256 }) => ({
        kind: 'File',
        path: `${imagePaths.models.slice(1)}/${name}`,
        mode: 0o644,
        content: { kind: 'Disk', file, sizeBytes, sha256 },
      }))
    case 'Code':
      return [
        textEntry(imagePaths.manifest.slice(1), codeManifest(content.code)),
        ...content.code.files.map((module): LayerEntry => {
          const file = join(sources.codeRoot, module)
          const disk = { kind: 'Disk', file, sizeBytes: statSync(file).size } as const
          return { kind: 'File', path: `${imagePaths.home.slice(1)}/dist/${module}`, mode: 0o644, content: disk }
        }),
      ]
    case 'Documents':
      return content.documents.map(({ path, text }) => textEntry(path, text))
  }
}

/** What makes the modules of the image modules, and gives them their version. */
export function codeManifest({ version }: LockedCode): string {
  return `${JSON.stringify({ name: 'towline', version, type: 'module' }, undefined, 2)}\n`
}

function textEntry(path: string, text: string): FileEntry {
  return { kind: 'File', path, mode: 0o644, content: { kind: 'Bytes', bytes: new TextEncoder().encode(text) } }
}
