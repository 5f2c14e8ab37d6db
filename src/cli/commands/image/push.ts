import { TowlineError } from '../../../base/errors.ts'
import { readLayout } from '../../../image/layout/oci-layout.ts'
import { parseReference } from '../../../image/registry/reference.ts'
import type { CliContext } from '../../context.ts'
import { findBuiltImage, nameModelPack, openLocalImage } from '../../image/image-place.ts'
import { nameInLocks } from '../../image/lock-file.ts'
import { parseOutput } from '../../image/write-image.ts'
import { pushLocal } from '../../image/push-image.ts'
import { renderPushed } from '../../view/image/pushed-rows.ts'

export interface PushFlags {
  readonly from?: string
  readonly name?: string
  readonly modelPack?: string
  readonly plainHttp: boolean
  readonly json: boolean
}

/** Sends an image to a registry; what is there already is not sent. */
export async function push(this: CliContext, flags: PushFlags, text: string): Promise<void> {
  const { terminal, cwd } = this
  const target = parseReference(text)
  if (flags.from !== undefined && (flags.name !== undefined || flags.modelPack !== undefined))
    throw new TowlineError('TL_USAGE', '--name and --model-pack are for what `towline build` made, not for --from')
  const built = flags.from === undefined ? findBuiltImage(cwd, flags.name) : undefined
  const place = built?.place ?? parseOutput(flags.from ?? '', cwd)
  const image = await openLocalImage(place)
  const modelPack =
    built === undefined || flags.modelPack === undefined
      ? undefined
      : { root: readLayout(built.place.folder).resolve(nameModelPack(built.place.name)), tag: flags.modelPack }
  const pushed = await pushLocal(this, flags, {
    image,
    target,
    specDir: built?.specDir,
    ...(modelPack === undefined ? {} : { modelPack }),
  })
  const lockFiles = built === undefined ? [] : await nameInLocks(built.specDir, pushed.digest, pushed.reference)
  terminal.out(
    flags.json
      ? JSON.stringify({ ...pushed, lockFiles }, undefined, 2)
      : renderPushed(pushed, lockFiles, cwd).join('\n'),
  )
}
