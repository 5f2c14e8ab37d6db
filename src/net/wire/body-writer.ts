import type { Socket } from 'node:net'

/** Below this, a head and the first bytes after it are copied into one buffer: cheaper than a vectored write. */
const joinBelowBytes = 16_384

export const lastChunk = '0\r\n\r\n'

/** Sends what has not been sent of the head, then these bytes; no bytes as a chunk would end the body. False: hold further ones. */
export function writeBody(socket: Socket, head: string, bytes: Buffer, chunked: boolean): boolean {
  if (!chunked && head === '') return socket.write(bytes)
  if (!chunked && bytes.length < joinBelowBytes) {
    const joined = Buffer.allocUnsafe(head.length + bytes.length)
    joined.write(head, 0, 'latin1')
    bytes.copy(joined, head.length)
    return socket.write(joined)
  }
  socket.cork()
  socket.write(chunked ? `${head}${bytes.length.toString(16)}\r\n` : head, 'latin1')
  let free = socket.write(bytes)
  if (chunked) free = socket.write('\r\n', 'latin1')
  socket.uncork()
  return free
}
