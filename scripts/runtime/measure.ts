import { join } from 'node:path'
import { hashOf } from '../../src/base/canonical.ts'
import { cacheFolder } from '../../src/store/cache-folder.ts'
import { listEntries } from '../../src/image/build/layer-entries.ts'
import { layerForm, openLayerCache } from '../../src/image/layer/layer-cache.ts'
import { openPackageCache } from '../../src/image/packages/package-cache.ts'
import { fetchWithNpm } from '../../src/image/packages/npm-fetch.ts'
import { fileRule, layerRecipes, runtimePlatforms } from '../../src/image/runtime/recipe.ts'
import { type MeasuredLayer, type RuntimeLock, packagesOf } from '../../src/image/runtime/runtime-lock.ts'

/**
 * What each layer of packages comes to. One whose inputs are those of `known` is taken from there; another one is built,
 * from packages that npm fetches, or with `checking` left out.
 */
export async function measureLayers(
  lock: Omit<RuntimeLock, 'layers'>,
  known: RuntimeLock['layers'],
  checking: boolean,
): Promise<RuntimeLock['layers']> {
  const measured: Record<string, Record<string, MeasuredLayer>> = {}
  for (const { name: platform, cpu } of runtimePlatforms) {
    const layers: Record<string, MeasuredLayer> = {}
    for (const { name } of layerRecipes) {
      const packages = packagesOf(lock, name, platform)
      const of = hashOf([layerForm, packages.map((entry) => [entry.path, entry.integrity, fileRule(entry.name, cpu)])])
      const before = known[platform]?.[name]
      if (before?.of === of) layers[name] = before
      else if (!checking) layers[name] = { of, ...(await measure({ kind: 'Packages', packages }, cpu)) }
    }
    measured[platform] = layers
  }
  return measured
}

async function measure(
  content: Parameters<typeof listEntries>[0],
  cpu: Parameters<typeof listEntries>[2],
): Promise<Omit<MeasuredLayer, 'of'>> {
  const cache = cacheFolder()
  const packages = openPackageCache(join(cache, 'packages'), { fetch: fetchWithNpm })
  const entries = await listEntries(content, { packages, codeRoot: '' }, cpu)
  const layers = openLayerCache(join(cache, 'layers'))
  const { descriptor, unpackedBytes } = await layers.build(entries, { compression: 'Gzip', mtimeS: 0 })
  return { digest: descriptor.digest, sizeBytes: descriptor.size, unpackedBytes }
}
