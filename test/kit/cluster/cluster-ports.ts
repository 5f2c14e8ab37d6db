import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { ClusterPorts } from './control-plane.ts'

/** Ports of loopback that nobody listens on now, all different. */
export async function findClusterPorts(): Promise<ClusterPorts> {
  const names = ['api', 'etcd', 'etcdPeer', 'controllers', 'scheduler', 'kwok', 'metrics'] as const
  const servers = names.map((name) => [name, createServer().listen(0, '127.0.0.1')] as const)
  const found: Partial<Record<keyof ClusterPorts, number>> = {}
  // All open at once, so that none is given twice.
  for (const [name, server] of servers) {
    if (!server.listening) await once(server, 'listening')
    found[name] = (server.address() as AddressInfo).port
  }
  for (const [, server] of servers) {
    const closed = once(server, 'close')
    server.close()
    await closed
  }
  return found as ClusterPorts
}
