import { homedir } from 'node:os'
import { join } from 'node:path'

/** What can be made or fetched again, for all projects of a person: packages, built layers, base images. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['XDG_CACHE_HOME']
  // A relative one is invalid by the XDG base directory specification, and would be another one in each folder.
  return join(chosen?.startsWith('/') === true ? chosen : join(homedir(), '.cache'), 'towline')
}
