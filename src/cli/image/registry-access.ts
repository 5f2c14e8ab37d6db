import { homedir } from 'node:os'
import { systemClock } from '../../base/clock.ts'
import { findCredentials } from '../../image/registry/docker-config.ts'
import type { Reference } from '../../image/registry/reference.ts'
import { type Registry, openRegistry } from '../../image/registry/registry.ts'
import type { Terminal } from '../term/terminal.ts'

export interface RegistryFlags {
  readonly plainHttp: boolean
}

/** Logged in as Docker and Podman are on this machine. */
export function accessRegistry(
  terminal: Terminal,
  { registry }: Reference,
  { plainHttp }: RegistryFlags,
  signal?: AbortSignal,
): Registry {
  return openRegistry({
    host: registry,
    credentials: (host, repository) => findCredentials(host, repository, { env: process.env, homeFolder: homedir() }),
    ...(plainHttp ? { plainHttp } : {}),
    clock: systemClock,
    ...(signal === undefined ? {} : { signal }),
    onWarning: (text) => terminal.err(`  warning      ${registry}: ${text}`),
  })
}
