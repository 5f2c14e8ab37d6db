import { readFileSync } from 'node:fs'
import type { Clock } from '../../base/clock.ts'
import { hasErrno } from '../../base/errors.ts'
import type { Authority, ClientCertificate, Login } from './access.ts'
import { type Entry, type Fields, readTextField } from './kubeconfig-files.ts'
import { openTokenFile } from './token-file.ts'
import { unusable } from './unusable.ts'

/** Of these kubectl knows more than this: whoever acts as somebody else must not silently act as himself. */
const unsupported: readonly string[] = ['as-groups', 'as-uid', 'as-user-extra']

/**
 * A certificate, a token, the file of one, or a name and a password: what needs nobody's help. Files are read anew when the server did
 * not take what they said, the token's also as time goes by. TL_KUBECONFIG_UNUSABLE.
 */
export function openStaticLogin(user: Entry, clock: Clock): Login {
  const at = `${user.file}: the user \`${user.name}\``
  const { fields } = user
  const impersonation = readImpersonation(user)
  const tokenFile = readTextField(fields, 'tokenFile', at)
  const readTokenFile = tokenFile === undefined ? undefined : openTokenFile(tokenFile, clock)
  const read = (): Authority => {
    const certificate = readCertificate(fields, at)
    return {
      headers: { ...readAuthorization(fields, at), ...impersonation },
      ...(certificate === undefined ? {} : { certificate }),
    }
  }
  let authority: Authority | undefined
  return async (refused) => {
    if (authority === undefined || refused !== undefined) authority = read()
    if (readTokenFile === undefined) return authority
    const { headers } = await readTokenFile(refused)
    return { ...authority, headers: { ...authority.headers, ...headers } }
  }
}

/** `as: NAME`. TL_KUBECONFIG_UNUSABLE where there is more to it. */
export function readImpersonation({ file, name, fields }: Entry): Readonly<Record<string, string>> {
  const at = `${file}: the user \`${name}\``
  const found = unsupported.find((key) => fields[key] !== undefined)
  if (found !== undefined) throw unusable(`${at} has \`${found}\`, which is not supported yet`, 'use `as` alone')
  const as = readTextField(fields, 'as', at)
  return as === undefined ? {} : { 'impersonate-user': as }
}

/** `KEY-data` in base64, or else the file that `KEY` names. */
export function readPem(fields: Fields, key: string, at: string): string | undefined {
  const data = readTextField(fields, `${key}-data`, at)
  if (data !== undefined) return Buffer.from(data, 'base64').toString()
  const file = readTextField(fields, key, at)
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) throw unusable(`${at} names ${file}, which is not there`, 'sign in again')
    if (hasErrno(error, 'EACCES', 'EPERM', 'EISDIR'))
      throw unusable(`${at} names ${file}, which cannot be read`, 'see who may read it')
    throw error
  }
}

function readCertificate(fields: Fields, at: string): ClientCertificate | undefined {
  const cert = readPem(fields, 'client-certificate', at)
  const key = readPem(fields, 'client-key', at)
  if (cert === undefined && key === undefined) return undefined
  if (cert !== undefined && key !== undefined) return { cert, key }
  const [has, lacks] = cert === undefined ? ['client-key', 'client-certificate'] : ['client-certificate', 'client-key']
  throw unusable(`${at} has a ${has} and no ${lacks}`, 'sign in again')
}

function readAuthorization(fields: Fields, at: string): Readonly<Record<string, string>> {
  const token = readTextField(fields, 'token', at)
  if (token !== undefined) return { authorization: `Bearer ${token.trim()}` }
  const username = readTextField(fields, 'username', at)
  if (username === undefined) return {}
  const password = readTextField(fields, 'password', at) ?? ''
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}
