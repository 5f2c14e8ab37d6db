import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where `scripts/setup-peers` keeps what it fetched, and tests what they make of it. */
export const peersFolder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'towline', 'peers')

/** The next major of Node, to build the same with another one. */
export const nextNode = join(peersFolder, 'node-26', 'bin', 'node')
