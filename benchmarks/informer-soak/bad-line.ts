import { once } from 'node:events'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A line to the API server that can be made bad, byte by byte and below TLS. */
export interface BadLine {
  readonly port: number
  /** Connections that are open now. */
  count(): number
  /** Resets all connections. */
  cut(): void
  /** The next answer bytes of each connection are passed on by half, then it is reset. */
  cutInside(): void
  /** Connections of now stay open, and nothing passes any more: as when a router forgot them. */
  silence(): void
  /** New connections are reset at once, until told otherwise. */
  refuse(isRefusing: boolean): void
  /** Each chunk of an answer waits, until told otherwise: 0 is a good line. */
  slow(chunkMs: number): void
  close(): Promise<void>
}

interface Pair {
  readonly down: Socket
  readonly up: Socket
  isSilent: boolean
  endsInside: boolean
}

export async function openBadLine(target: number): Promise<BadLine> {
  const pairs = new Set<Pair>()
  let isRefusing = false
  let chunkMs = 0

  const reset = (pair: Pair): void => {
    pairs.delete(pair)
    pair.down.resetAndDestroy()
    pair.up.resetAndDestroy()
  }
  const answer = async (pair: Pair): Promise<void> => {
    for await (const data of pair.up) {
      const chunk = data as Buffer
      if (chunkMs > 0) await sleep(chunkMs)
      if (pair.isSilent) continue
      if (pair.endsInside) {
        pair.down.write(chunk.subarray(0, chunk.length >> 1), () => reset(pair))
        return
      }
      if (!pair.down.write(chunk)) await once(pair.down, 'drain', { signal: AbortSignal.timeout(60_000) })
    }
    if (!pair.isSilent) pair.down.end()
  }
  const accept = (down: Socket): void => {
    down.on('error', () => {})
    if (isRefusing) return void down.resetAndDestroy()
    const up = connect({ host: '127.0.0.1', port: target, noDelay: true })
    const pair: Pair = { down, up, isSilent: false, endsInside: false }
    pairs.add(pair)
    down.setNoDelay(true)
    down.on('data', (chunk: Buffer) => {
      if (!pair.isSilent) up.write(chunk)
    })
    down.on('close', () => reset(pair))
    up.on('error', () => {
      if (!pair.isSilent) reset(pair)
    })
    answer(pair).catch(() => {
      if (!pair.isSilent) reset(pair)
    })
  }

  const server: Server = createServer(accept).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    count: () => pairs.size,
    cut: () => [...pairs].forEach(reset),
    cutInside: () => pairs.forEach((pair) => (pair.endsInside = true)),
    silence: () => pairs.forEach((pair) => (pair.isSilent = true)),
    refuse: (value) => void (isRefusing = value),
    slow: (value) => void (chunkMs = value),
    close: async () => {
      ;[...pairs].forEach(reset)
      server.close()
      await once(server, 'close')
    },
  }
}
