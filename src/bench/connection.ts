import { type Socket, connect } from 'node:net'

/** One HTTP/1.1 connection for load: a request's bytes are made once, and of an answer only its status and its end matter. */
export interface LoadConnection {
  /** Resolves with the status when the whole answer is there; rejects when the connection breaks. One at a time. */
  send(request: Uint8Array): Promise<number>
  close(): void
}

export async function openLoadConnection(port: number, host = '127.0.0.1'): Promise<LoadConnection> {
  const socket = connect({ port, host, noDelay: true })
  const opened = Promise.withResolvers<void>()
  socket.once('connect', () => opened.resolve())
  socket.once('error', opened.reject)
  await opened.promise
  socket.off('error', opened.reject)
  return createLoadConnection(socket)
}

function createLoadConnection(socket: Socket): LoadConnection {
  let waiting: PromiseWithResolvers<number> | undefined
  let head = ''
  let status = 0
  let missingBytes = -1
  const fail = (error: Error): void => {
    waiting?.reject(error)
    waiting = undefined
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection closed before the answer was complete')))
  socket.on('data', (chunk: Buffer) => {
    let bodyBytes = chunk.length
    if (missingBytes < 0) {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      bodyBytes = head.length - end - 4
      status = Number(head.slice(9, 12))
      const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end))?.[1]
      if (length === undefined) return void socket.destroy(new Error('the answer has no content-length'))
      missingBytes = Number(length)
    }
    missingBytes -= bodyBytes
    if (missingBytes > 0) return
    head = ''
    missingBytes = -1
    const done = waiting
    waiting = undefined
    done?.resolve(status)
  })
  return {
    send(request) {
      waiting = Promise.withResolvers<number>()
      socket.write(request)
      return waiting.promise
    },
    close: () => void socket.destroy(),
  }
}

/** The bytes of one POST, head and body together. */
export function renderPost(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\nhost: bench\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
