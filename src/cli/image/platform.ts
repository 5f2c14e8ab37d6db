import { TowlineError } from '../../base/errors.ts'
import type { Platform } from '../../image/oci/descriptor.ts'

/** `linux/amd64`, `linux/arm/v7`. TL_USAGE. */
export function parsePlatform(text: string): Platform {
  const [os = '', architecture = '', variant, ...rest] = text.split('/')
  if (os === '' || architecture === '' || variant === '' || rest.length > 0)
    throw new TowlineError('TL_USAGE', `\`${text}\` is no platform`, { hint: 'write linux/amd64 or linux/arm64' })
  // Of arm64 there is one variant in use, and it is written or left out.
  const isPlain = variant === undefined || (architecture === 'arm64' && variant === 'v8')
  return { os, architecture, ...(isPlain ? {} : { variant }) }
}
