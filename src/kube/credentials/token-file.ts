import { readFileSync } from 'node:fs'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'

/** Who rotates a token writes the new one into the file long before the old one ends. */
const keptMs = 60_000

/** Authorization by a token that somebody else keeps fresh in a file. */
export function openTokenFile(
  file: string,
  clock: Clock,
): (renewed: boolean) => Promise<Readonly<Record<string, string>>> {
  let token = ''
  let readAtMs = -Infinity
  return (renewed) => {
    if (renewed || clock.monotonicMs() - readAtMs > keptMs) {
      token = readToken(file)
      readAtMs = clock.monotonicMs()
    }
    return Promise.resolve({ authorization: `Bearer ${token}` })
  }
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new TowlineError('TL_KUBECONFIG_UNUSABLE', `the token file ${file} cannot be read`, {
      cause,
      hint: 'sign in again, or mount the token of the service account',
    })
  }
}
