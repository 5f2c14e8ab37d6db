import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLayout } from '../../../image/layout/oci-layout.ts'
import { pullImage } from '../../../image/registry/pull.ts'
import { formatReference, parseReference, tagOf } from '../../../image/registry/reference.ts'
import type { CliContext } from '../../context.ts'
import { runInterruptible } from '../../image/interruptible.ts'
import { parsePlatform } from '../../image/platform.ts'
import { accessRegistry } from '../../image/registry-access.ts'
import { parseOutput, writeImage } from '../../image/write-image.ts'
import { renderRow } from '../../term/layout.ts'

export interface PullFlags {
  readonly output: string
  readonly platform?: string
  readonly plainHttp: boolean
  readonly json: boolean
}

/** Copies an image from a registry; a layout keeps what an earlier, interrupted pull brought. */
export async function pull(this: CliContext, flags: PullFlags, text: string): Promise<void> {
  const { terminal, cwd } = this
  const reference = parseReference(text)
  const place = parseOutput(flags.output, cwd)
  const stated = flags.platform === undefined ? undefined : parsePlatform(flags.platform)
  const platform = stated ?? (place.kind === 'Archive' ? parsePlatform('linux/amd64') : undefined)
  const work = { label: 'pull', first: `from ${reference.registry}`, stopped: () => `${flags.output} was not written` }
  const { digest } = await runInterruptible(this, work, async (signal) => {
    const registry = accessRegistry(terminal, reference, flags, signal)
    const scratch = place.kind === 'Archive' ? mkdtempSync(join(tmpdir(), 'towline-pull-')) : undefined
    try {
      const layout = openLayout(place.kind === 'Layout' ? place.folder : (scratch ?? place.file))
      const { root } = await pullImage(registry, reference, layout.blobs, platform === undefined ? {} : { platform })
      if (place.kind === 'Layout') await layout.setReference(place.name ?? tagOf(reference) ?? root.digest, root)
      else {
        const { registry: host, repository } = reference
        const name = { name: formatReference({ registry: host, repository }), tag: tagOf(reference) }
        await writeImage({ root, blobs: layout.blobs, referrers: [] }, place, name, platform)
      }
      return root
    } finally {
      await registry.close()
      if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true })
    }
  })
  const { registry: host, repository } = reference
  const name = formatReference({ registry: host, repository, digest })
  if (flags.json) terminal.out(JSON.stringify({ reference: name, digest, output: flags.output }, undefined, 2))
  else terminal.out(renderRow('pulled', `${name} to ${flags.output}`))
}
