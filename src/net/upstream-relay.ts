import type { ServerResponse } from 'node:http'
import type { AnswerReader, Exchange, UpstreamFailure } from './upstream-connection.ts'
import { endToEndHeaders } from './upstream-headers.ts'

/** Forbidden in a 204, and a trap for clients that believe it. */
const lengthOfNothing: ReadonlySet<string> = new Set(['content-length'])

export interface RelayOptions {
  /** The head was passed on: from here on no other answer can be given. */
  readonly onHead: (status: number) => void
  readonly onEnd: () => void
  /** What was begun has been cut off already. */
  readonly onFail: (failure: UpstreamFailure) => void
}

/** Passes one answer on as it comes, no faster than its receiver takes it. `attach` the exchange once it is known. */
export function relayAnswer(
  response: ServerResponse,
  { onHead, onEnd, onFail }: RelayOptions,
): AnswerReader & { attach(exchange: Exchange): void } {
  let exchange: Exchange | undefined
  const resume = (): void => exchange?.resume()
  let waiting = false
  return {
    attach: (opened) => {
      exchange = opened
    },
    head: (head) => {
      // The rest of this request will not be read to the end: its connection cannot carry another one.
      if (!response.req.complete) response.setHeader('connection', 'close')
      response.writeHead(
        head.status,
        head.reason,
        endToEndHeaders(head.headers, head.status === 204 ? lengthOfNothing : undefined),
      )
      onHead(head.status)
    },
    data: (bytes) => {
      const free = response.write(bytes)
      if (!free && !waiting) {
        waiting = true
        response.on('drain', resume)
      }
      return free
    },
    flush: () => response.flushHeaders(),
    end: () => {
      endResponse(response)
      onEnd()
    },
    fail: (failure) => {
      // A receiver must not take a part for the whole.
      if (response.headersSent) response.destroy()
      onFail(failure)
    },
  }
}

const lingerMs = 1000

/**
 * Ends an answer that has been written in full. While the client still sends its request, the connection is left open for a
 * moment and what comes is thrown away: closing at once would reset it, and the client could lose the answer.
 */
export function endResponse(response: ServerResponse): void {
  const request = response.req
  if (request.complete || response.destroyed) return void response.end()
  const end = (): void => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, lingerMs)
  request.once('end', end).once('close', end).resume()
}
