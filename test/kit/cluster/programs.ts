import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { peersFolder } from '../containers/peers-folder.ts'
import { requireRoot } from '../containers/require-root.ts'
import { requirePeer, skipWithout } from '../peer.ts'
import type { Scope } from '../scope.ts'

const built = join(peersFolder, 'cluster')

/** What `scripts/setup-peers cluster` builds. */
export const clusterPrograms = {
  kwok: join(built, 'kwok'),
  /** The first process of each pod on a real node. */
  pause: join(built, 'pause'),
  at: (name: string): string => join(built, 'bin', name),
} as const

/** True where a cluster can be started; otherwise the test is skipped and says why, or fails where peers are required. */
export function requireCluster(test: Scope, { node }: { readonly node: boolean }): boolean {
  const system = ['unshare', 'nsenter', 'openssl', ...(node ? ['containerd', 'ctr', 'runc', 'iptables', 'ip'] : [])]
  if (system.some((program) => requirePeer(test, program) === undefined) || !requireRoot(test)) return false
  if (existsSync(clusterPrograms.at('kube-apiserver'))) return true
  skipWithout(test, 'there is no Kubernetes to start; `scripts/setup-peers cluster` builds it')
  return false
}
