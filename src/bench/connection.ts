import { type Socket, connect } from 'node:net'
import { AnswerParser } from '../net/wire/answer-parser.ts'
import { MalformedMessage } from '../net/wire/message-head.ts'

/** One HTTP/1.1 connection for load: a request's bytes are made once, and of an answer only its status and its end matter. */
export interface LoadConnection {
  /** Resolves with the status when the whole answer is there; rejects when the connection breaks. One at a time. */
  send(request: Uint8Array): Promise<number>
  /** Cannot carry another request. */
  readonly closed: boolean
  close(): void
}

const maxHeadBytes = 65_536

/** Rejects when nobody listens. */
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
  let status = 0
  let closed = false
  const fail = (error: Error): void => {
    closed = true
    waiting?.reject(error)
    waiting = undefined
  }
  const parser = new AnswerParser(
    {
      onHead: (head) => {
        status = head.status
        closed ||= !head.keepAlive
      },
      onData: () => undefined,
      onEnd: () => {
        const done = waiting
        waiting = undefined
        if (closed) socket.destroy()
        done?.resolve(status)
      },
    },
    maxHeadBytes,
  )
  const read = (step: () => void): void => {
    try {
      step()
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      fail(error)
      socket.destroy()
    }
  }
  socket.on('data', (chunk: Buffer) => read(() => parser.push(chunk)))
  socket.on('end', () => read(() => parser.end()))
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection closed before the answer was complete')))
  return {
    send(request) {
      waiting = Promise.withResolvers<number>()
      parser.expect('POST')
      socket.write(request)
      return waiting.promise
    },
    get closed() {
      return closed
    },
    close: () => void socket.destroy(),
  }
}

/** The bytes of one POST, head and body together. */
export function renderPost(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  host = 'bench',
): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
