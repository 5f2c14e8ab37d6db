import type { AnswerReader, Exchange, UpstreamFailure } from '../upstream/connection.ts'
import { endToEndHeaders } from '../wire/headers.ts'
import type { ClientExchange } from './client-exchange.ts'

/** Forbidden in a 204, and a trap for clients that believe it. */
const lengthOfNothing: ReadonlySet<string> = new Set(['content-length'])

export interface RelayOptions {
  /** The head was passed on: from here on no other answer can be given. */
  readonly onHead: (status: number) => void
  readonly onEnd: () => void
  /** What was begun has been cut off already. */
  readonly onFail: (failure: UpstreamFailure) => void
}

/** Passes one answer on as it comes, no faster than its receiver takes it. `attach` the exchange with the server once it is known. */
export function relayAnswer(
  client: ClientExchange,
  { onHead, onEnd, onFail }: RelayOptions,
): AnswerReader & { attach(exchange: Exchange): void } {
  let exchange: Exchange | undefined
  return {
    attach: (opened) => {
      exchange = opened
    },
    head: ({ status, reason, headers }) => {
      client.sendHead(status, reason, endToEndHeaders(headers, status === 204 ? lengthOfNothing : undefined))
      onHead(status)
    },
    data: (bytes) => {
      const free = client.write(bytes)
      if (!free) client.onDrain ??= () => exchange?.resume()
      return free
    },
    flush: () => client.flush(),
    end: () => {
      client.end()
      onEnd()
    },
    fail: (failure) => {
      // A receiver must not take a part for the whole.
      if (client.headSent) client.destroy()
      onFail(failure)
    },
  }
}
