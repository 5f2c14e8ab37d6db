import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { Scope } from '../../test/kit/scope.ts'

/** In front of a registry: passes everything on, and counts what is sent to it, headers too. */
export interface CountingRelay {
  /** `127.0.0.1:PORT`, the registry to name. */
  readonly host: string
  sentBytes(): number
}

export async function startRelay(scope: Scope, registry: string): Promise<CountingRelay> {
  let sentBytes = 0
  const port = Number(registry.split(':').at(-1))
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    client.on('data', (chunk) => (sentBytes += chunk.length))
    client.pipe(upstream).pipe(client)
    // Whoever breaks off, the other side sees it too, and the push says what became of it.
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.after(() => server.close())
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, sentBytes: () => sentBytes }
}
