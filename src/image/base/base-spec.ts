import { resolve } from 'node:path'
import { TowlineError } from '../../base/errors.ts'

/** Where an image lies, or is to lie, as a person wrote it; `scratch` is none, and only a base. */
export type BaseSpec =
  | { readonly kind: 'Scratch' }
  | { readonly kind: 'Layout'; readonly folder: string; readonly name: string | undefined }
  | { readonly kind: 'Archive'; readonly file: string }
  | { readonly kind: 'Registry'; readonly reference: string }

/**
 * `scratch`, `oci:DIR`, `oci:DIR:NAME`, `docker-archive:FILE`, or the name of an image in a registry, which is not looked at
 * here. Paths are relative to `folder`. TL_USAGE.
 */
export function parseBaseSpec(text: string, folder: string): BaseSpec {
  if (text === 'scratch') return { kind: 'Scratch' }
  const [, scheme, rest] = /^(oci|docker-archive):(.*)$/s.exec(text) ?? []
  if (scheme === undefined || rest === undefined) return { kind: 'Registry', reference: text }
  // As other tools do it: a name may hold colons, a folder may not.
  const colon = scheme === 'oci' ? rest.indexOf(':') : -1
  const path = colon === -1 ? rest : rest.slice(0, colon)
  const name = colon === -1 ? undefined : rest.slice(colon + 1)
  if (path === '' || name === '')
    throw new TowlineError(
      'TL_USAGE',
      `\`${text}\` lacks ${path === '' ? 'a path' : 'the name after its last colon'}`,
      {
        hint: 'write oci:DIR, oci:DIR:NAME, docker-archive:FILE, or the name of an image in a registry',
      },
    )
  return scheme === 'oci'
    ? { kind: 'Layout', folder: resolve(folder, path), name }
    : { kind: 'Archive', file: resolve(folder, path) }
}
