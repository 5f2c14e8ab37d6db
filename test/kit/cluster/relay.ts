import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { Namespaces } from './namespaces.ts'

/** Where connections to the listener that comes with it go. */
export interface RelayOrder {
  readonly host: string
  readonly port: number
}

export interface Relay {
  /** A port of the machine's 127.0.0.1 that leads to this address inside the cluster, until the cluster ends. */
  open(host: string, port: number): Promise<number>
}

/**
 * A socket stays in the network where it was made: the listeners are made here and accepted from inside, by one process for all of
 * them. Connections cost one hop over loopback; one that cannot be passed on is reset.
 */
export function startRelay(namespaces: Namespaces): Relay {
  const child = namespaces.spawn(process.execPath, [join(import.meta.dirname, 'relay-process.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  // One order after the other: answers carry no name.
  let last: Promise<unknown> = Promise.resolve()
  return {
    async open(host, port) {
      const opening = last.then(() => openListener(child, { host, port }))
      last = opening.catch(() => {})
      return opening
    },
  }
}

async function openListener(child: ChildProcess, order: RelayOrder): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const answer = once(child, 'message')
  child.send({ ...order }, listener)
  await answer
  listener.close()
  return port
}
