import { closeSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Longest path the kernel takes for a unix socket, in bytes, without the closing zero. */
const kernelLimitBytes = 107

/**
 * A path that the kernel accepts for the unix socket at `path`: the path itself, or the way through an open descriptor of
 * its folder when it is too long. Call `close` once the socket is bound or connected. Linux only.
 */
export function openSocketPath(path: string): { readonly path: string; close(): void } {
  if (Buffer.byteLength(path) <= kernelLimitBytes) return { path, close: () => undefined }
  const folder = openSync(dirname(path), 'r')
  return { path: `/proc/self/fd/${folder}/${basename(path)}`, close: () => closeSync(folder) }
}
