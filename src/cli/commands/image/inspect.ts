import { type ImageDescription, describeImage } from '../../../image/inspect.ts'
import { resolveManifest } from '../../../image/registry/pull.ts'
import { registryBlobs } from '../../../image/registry/blob-download.ts'
import type { Descriptor } from '../../../image/oci/descriptor.ts'
import { listBranches } from '../../../image/oci/image-tree.ts'
import { parseReference } from '../../../image/registry/reference.ts'
import { listReferrers } from '../../../image/registry/referrers.ts'
import type { CliContext } from '../../context.ts'
import { runInterruptible } from '../../image/interruptible.ts'
import { findBuiltImage, openLocalImage, parsePlace } from '../../image/image-place.ts'
import { type RegistryFlags, accessRegistry } from '../../image/registry-access.ts'
import { renderImage } from '../../view/image/image-rows.ts'

export interface InspectFlags extends RegistryFlags {
  readonly name?: string
  readonly json: boolean
}

/** What an image is made of; of a registry only manifests and configs are fetched. */
export async function inspect(this: CliContext, flags: InspectFlags, text?: string): Promise<void> {
  const described = await describe(this, flags, text)
  this.terminal.out(flags.json ? JSON.stringify(described, undefined, 2) : renderImage(described).join('\n'))
}

async function describe(context: CliContext, flags: InspectFlags, text: string | undefined): Promise<ImageDescription> {
  const place = text === undefined ? findBuiltImage(context.cwd, flags.name).place : parsePlace(text, context.cwd)
  if (place.kind !== 'Registry') {
    const { root, blobs, referrers } = await openLocalImage(place)
    return await describeImage(root, blobs, referrers)
  }
  const reference = parseReference(place.reference)
  const work = { label: 'inspect', first: `asking ${reference.registry}`, stopped: () => 'nothing was changed' }
  return await runInterruptible(context, work, async (signal) => {
    const registry = accessRegistry(context.terminal, reference, flags, signal)
    try {
      const { descriptor: root } = await resolveManifest(registry, reference)
      const { registry: host, repository } = reference
      const blobs = registryBlobs(registry, repository)
      const referrers: Descriptor[] = []
      const subjects = [root, ...(await listBranches(root, blobs)).map(({ descriptor }) => descriptor)]
      for (const digest of new Set(subjects.map((subject) => subject.digest)))
        referrers.push(...(await listReferrers(registry, { registry: host, repository, digest })))
      return await describeImage(root, blobs, referrers)
    } finally {
      await registry.close()
    }
  })
}
