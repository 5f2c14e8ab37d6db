import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLayout } from '../../../image/layout/oci-layout.ts'
import { pullImage } from '../../../image/registry/pull.ts'
import { formatReference, parseReference } from '../../../image/registry/reference.ts'
import { type CliContext, openInterrupt } from '../../context.ts'
import { parsePlatform } from '../../image/platform.ts'
import { accessRegistry } from '../../image/registry-access.ts'
import { parseOutput, writeImage } from '../../image/write-image.ts'
import { renderRow } from '../../term/layout.ts'
import { openProgress } from '../../term/progress.ts'

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
  const interrupt = openInterrupt(terminal, 'stopping')
  const progress = openProgress(terminal, 'pull', `from ${reference.registry}`)
  const registry = accessRegistry(terminal, reference, flags, interrupt.signal)
  const scratch = place.kind === 'Archive' ? mkdtempSync(join(tmpdir(), 'towline-pull-')) : undefined
  try {
    const layout = openLayout(scratch === undefined || place.kind !== 'Layout' ? (scratch ?? '') : place.folder)
    const { root } = await pullImage(registry, reference, layout.blobs, platform === undefined ? {} : { platform })
    const name = formatReference(reference)
    if (place.kind === 'Layout') await layout.setReference(place.name ?? reference.tag ?? reference.repository, root)
    else await writeImage({ root, blobs: layout.blobs, referrers: [] }, place, name, platform)
    const { digest } = root
    if (flags.json) terminal.out(JSON.stringify({ reference: name, digest, output: flags.output }, undefined, 2))
    else terminal.out(renderRow('pulled', `${name}@${digest.replace(/^.*@/, '')} to ${flags.output}`))
  } finally {
    progress.end()
    interrupt.close()
    await registry.close()
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true })
  }
}
