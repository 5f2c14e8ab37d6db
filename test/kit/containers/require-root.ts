import { skipWithout } from '../peer.ts'
import type { Scope } from '../scope.ts'

/** Owners of files, namespaces and mounts are root's. Skips the test otherwise, or fails it where peers are required. */
export function requireRoot(test: Scope): boolean {
  if (process.getuid?.() === 0) return true
  skipWithout(test, 'containers are made as root, and this is not root')
  return false
}
