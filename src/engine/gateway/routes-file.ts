import { readFileSync } from 'node:fs'
import { writeFileAtomic } from '../../base/file/atomic-file.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import type { GatewayRoute } from './gateway-config.ts'
import { parseRoutes } from './gateway-form.ts'

/** No file: no routes. Anything else that is not the list it should be is TL_STATE_UNUSABLE. */
export function readRoutes(file: string): GatewayRoute[] {
  try {
    return parseRoutes(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) return []
    throw new TowlineError('TL_STATE_UNUSABLE', `${file} holds no routes`, { cause })
  }
}

/** A writer that leaves the file alone while nothing has changed: each write waits for the disk, and traffic with it. */
export function createRoutesWriter(file: string): (routes: readonly GatewayRoute[]) => void {
  let written: string | undefined
  return (routes) => {
    const text = `${JSON.stringify(routes, undefined, 2)}\n`
    if (text === written) return
    writeFileAtomic(file, text)
    written = text
  }
}
