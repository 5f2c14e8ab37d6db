/**
 * The file `name` beside the calling module, with the caller's own ending: `.ts` in the sources, `.js` once built. The
 * compiler rewrites import specifiers but not URLs, so threads and processes are started through this only.
 */
export function beside(callerUrl: string, name: string): URL {
  return new URL(`./${name}${callerUrl.endsWith('.ts') ? '.ts' : '.js'}`, callerUrl)
}
