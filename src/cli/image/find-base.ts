import { TowlineError } from '../../base/errors.ts'
import { type BaseImage, openBase } from '../../image/base/base-image.ts'
import { type BaseContents, readBaseContents } from '../../image/base/base-packages.ts'
import type { OciLayout } from '../../image/layout/oci-layout.ts'
import { type Descriptor, type Platform, formatPlatform } from '../../image/oci/descriptor.ts'
import { retryMended } from '../../image/mended-cache.ts'
import { pullImage } from '../../image/registry/pull.ts'
import { parseReference } from '../../image/registry/reference.ts'
import type { Terminal } from '../term/terminal.ts'
import { type RegistryFlags, accessRegistry } from './registry-access.ts'

export interface FoundBase extends BaseImage {
  /** `name@sha256:…` for the lock; undefined for one that lies on this machine. */
  readonly pinned: string | undefined
}

export interface BaseSearch {
  readonly terminal: Terminal
  readonly flags: RegistryFlags
  /** Of all projects: a base that is named by digest is fetched once. */
  readonly bases: OciLayout
  /** What relative paths are relative to. */
  readonly folder: string
  readonly signal: AbortSignal
}

/** The base of a plan and what is in it. What is damaged in the cache is fetched again, once. */
export async function readBase(
  written: string,
  platform: Platform,
  search: BaseSearch,
): Promise<{ readonly base: FoundBase; readonly contents: BaseContents }> {
  return await retryMended(search.bases.blobs, async () => {
    const base = await findBase(written, platform, search)
    return { base, contents: await readBaseContents(base.manifest, base.blobs, base.config.rootfs.diff_ids) }
  })
}

/** Opens the base of a plan for one platform, from the cache where it is named by digest and was fetched before. */
async function findBase(written: string, platform: Platform, search: BaseSearch): Promise<FoundBase> {
  const { bases, folder } = search
  let pinned: string | undefined
  const base = await openBase(written, platform, {
    folder,
    cache: bases.blobs,
    pull: async () => {
      const descriptor = await fetchBase(written, platform, search)
      pinned = written.includes('@') ? written : `${written}@${descriptor.digest}`
      return { descriptor }
    },
  })
  return { ...base, pinned }
}

async function fetchBase(written: string, platform: Platform, search: BaseSearch): Promise<Descriptor> {
  const { terminal, flags, bases, signal } = search
  const reference = parseReference(written)
  const nameOf = (digest: string): string =>
    `${reference.registry}/${reference.repository}@${digest} ${formatPlatform(platform)}`
  if (reference.digest !== undefined) {
    const name = nameOf(reference.digest)
    const kept = bases.references().find((candidate) => candidate.name === name)
    // Else what was damaged or taken away is fetched again.
    if (kept !== undefined && (await bases.holds(kept.descriptor))) return kept.descriptor
  }
  const registry = accessRegistry(terminal, reference, flags, signal)
  try {
    const { root } = await pullImage(registry, reference, bases.blobs, { platform }).catch(adviseAnother)
    await bases.setReference(nameOf(root.digest), root)
    return root
  } finally {
    await registry.close()
  }
}

/** Behind a wall the default base is the first thing that cannot be reached. */
function adviseAnother(error: unknown): never {
  if (error instanceof TowlineError && error.code === 'TL_REGISTRY_UNREACHABLE')
    throw new TowlineError(error.code, error.detail, {
      cause: error,
      hint: `${error.hint ?? ''}; or name a base that can be reached, with --base or build.base`,
    })
  throw error
}
