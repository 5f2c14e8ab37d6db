import type { Scope } from '../scope.ts'

/** Owners of files, namespaces and mounts are root's. Skips the test otherwise, or fails it where peers are required. */
export function requireRoot(test: Scope): boolean {
  if (process.getuid?.() === 0) return true
  const reason = 'containers are made as root, and this is not root'
  if (process.env['TOWLINE_PEERS'] === 'required') throw new Error(reason)
  test.skip(reason)
  return false
}
