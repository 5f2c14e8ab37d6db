import { readFileSync } from 'node:fs'
import type { Clock } from '../../base/clock.ts'
import { hasErrno } from '../../base/errors.ts'
import type { Login } from './access.ts'
import { unusable } from './unusable.ts'

/** Who rotates a token writes the new one into the file long before the old one ends. */
const keptMs = 60_000

/** Authorization by a token that somebody else keeps fresh in a file. TL_KUBECONFIG_UNUSABLE where there is none. */
export function openTokenFile(file: string, clock: Clock): Login {
  let token = ''
  let readAtMs = -Infinity
  return async (refused) => {
    if (refused !== undefined || clock.monotonicMs() - readAtMs >= keptMs) {
      token = readToken(file) ?? token
      readAtMs = clock.monotonicMs()
    }
    if (token === '')
      throw unusable(`there is no token in ${file}`, 'sign in again, or mount the token of the service account')
    return { headers: { authorization: `Bearer ${token}` } }
  }
}

/** Undefined where it cannot be read now: in the middle of a rotation the last one is as good. */
function readToken(file: string): string | undefined {
  try {
    const token = readFileSync(file, 'utf8').trim()
    return token === '' ? undefined : token
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EISDIR')) return undefined
    throw error
  }
}
