import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Scope } from './scope.ts'

/**
 * The path of a system program that a test needs. Where it is missing the test is skipped and says so; with
 * `TOWLINE_PEERS=required` (as in CI, after `scripts/setup-peers`) that is a failure.
 */
export function requirePeer(test: Scope, program: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program)
    if (isExecutable(path)) return path
  }
  skipWithout(test, `\`${program}\` is not installed; scripts/setup-peers installs it`)
  return undefined
}

/** For whatever else a test cannot do without. */
export function skipWithout(test: Scope, reason: string): void {
  if (process.env['TOWLINE_PEERS'] === 'required') throw new Error(reason)
  test.skip(reason)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
