import { fileRule, layerRecipes, runtimePlatforms } from '../runtime/recipe.ts'
import { imagePaths } from '../plan/build-plan.ts'
import { type RuntimeLock, imageFolderOf } from '../runtime/runtime-lock.ts'

/**
 * What the build stage of the generated Dockerfile reads: a manifest and a lock for npm, the rule of each layer, and the
 * small program that follows it. All of it comes from the runtime lock, which names both platforms.
 */
export interface BuildFile {
  readonly path: string
  readonly text: string
}

/** Pure. `hasPhotos`: with the layer that decodes photos. */
export function renderBuildFiles(lock: RuntimeLock, hasPhotos: boolean): readonly BuildFile[] {
  const packages = lock.packages.filter(({ layer }) => layer !== 'photos' || hasPhotos)
  const always = packages.filter(({ platform }) => platform === undefined)
  const onOne = packages.filter(({ platform }) => platform !== undefined)
  const versions = (entries: typeof packages): Record<string, string> =>
    Object.fromEntries(entries.map(({ name, version }) => [name, version]))
  const manifest = {
    name: 'towline-image',
    version: lock.code.version,
    private: true,
    dependencies: versions(always),
    optionalDependencies: versions(onOne),
  }
  const npmLock = {
    name: manifest.name,
    version: manifest.version,
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': manifest,
      ...Object.fromEntries(
        packages.map(({ path, version, integrity, platform }) => [
          path,
          {
            version,
            integrity,
            ...(platform === undefined
              ? {}
              : {
                  optional: true,
                  os: ['linux'],
                  cpu: runtimePlatforms.filter(({ name }) => name === platform).map(({ cpu }) => cpu),
                }),
          },
        ]),
      ),
    },
  }
  const layers = layerRecipes
    .filter(({ name }) => name !== 'photos' || hasPhotos)
    .map(({ name }) => ({
      name,
      packages: packages
        .filter(({ layer }) => layer === name)
        .map((entry) => ({
          from: entry.path,
          into: `${imagePaths.home.slice(1)}/${imageFolderOf(entry)}`,
          optional: entry.platform !== undefined,
          ...fileRule(entry.name, 'CPU'),
        })),
    }))
  return [
    { path: 'package.json', text: renderJson(manifest) },
    { path: 'package-lock.json', text: renderJson(npmLock) },
    { path: 'layers.json', text: renderJson(layers) },
    { path: 'lay-out.mjs', text: layOut },
  ]
}

function renderJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** Runs in the build stage, on its own Node: plain JavaScript, no dependency. */
const layOut = `// Copies the files that layers.json keeps from node_modules into /layers, a folder for each layer.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, matchesGlob, relative } from 'node:path'

const target = process.argv[2] ?? '/layers'
const here = (globs) => globs.map((glob) => glob.replaceAll('CPU', process.arch))
for (const { name, packages } of JSON.parse(readFileSync('layers.json', 'utf8')))
  for (const { from, into, optional, keep, drop } of packages) {
    if (optional && !existsSync(from)) continue
    const [kept, dropped] = [here(keep), here(drop)]
    for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name)
      const path = relative(from, file)
      if (!entry.isFile() || path.startsWith('node_modules/')) continue
      if (!kept.some((glob) => matchesGlob(path, glob)) || dropped.some((glob) => matchesGlob(path, glob))) continue
      const copy = join(target, name, into, path)
      mkdirSync(dirname(copy), { recursive: true })
      copyFileSync(file, copy)
      chmodSync(copy, path === 'bin/node' ? 0o755 : 0o644)
    }
  }
`
