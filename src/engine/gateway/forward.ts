import type { Logger } from 'pino'
import { TowlineError, codes } from '../../base/errors.ts'
import type { ApiKey } from '../../spec/service.ts'
import type { ClientExchange } from '../../net/downstream/client-exchange.ts'
import { readRequestId } from '../../net/trace-context.ts'
import { findHeader } from '../../net/wire/message-head.ts'
import { IncomingBody, type KeepBudget } from '../../net/upstream/body.ts'
import type { Exchange, UpstreamFailure, UpstreamRequest } from '../../net/upstream/connection.ts'
import { renderRequestHead } from '../../net/wire/headers.ts'
import { relayAnswer } from '../../net/downstream/relay.ts'
import type { EndpointSet } from './endpoints/endpoint-set.ts'
import type { Endpoint } from './endpoints/endpoint.ts'
import type { Outcome } from './endpoints/revision-counts.ts'
import { refuse } from './refusal.ts'
import { checkKey, forwardedHeaders, readTarget } from './request-head.ts'

export interface ForwardContext {
  readonly endpoints: EndpointSet
  readonly timeoutMs: number
  readonly waitMs: number
  readonly slowMs: number
  readonly maxBodyBytes: number
  readonly apiKeys: readonly ApiKey[] | undefined
  readonly budget: KeepBudget
  readonly log: Logger
  /** Called once for each request, when its answer has ended or cannot be given. Status 0: the client left first. */
  readonly onDone: (status: number, durationMs: number, nowMs: number) => void
}

/** The replica's own time limit comes first: its answer says more than ours. */
const timeoutMarginMs = 1000
const stallTimeoutMs = 60_000
const healthPath = '/v2/health/'
const probeTarget = /^\/v2\/(?:health\/|models\/[^/]+\/(?:versions\/[^/]+\/)?ready)/
const lateStatus = codes.TL_UPSTREAM_TIMEOUT.http
const keepBodyBytes = 1 << 20
/**
 * How often one request may be sent in full. A replica that is killed costs one, a kept connection that just closed another.
 * More would let a request that kills replicas go round and kill them all.
 */
const maxSends = 3

/** Passes one request to a replica and its answer back, over other replicas for as long as none has begun to answer. */
export function forwardRequest(client: ClientExchange, context: ForwardContext): void {
  new Forwarding(client, context).start()
}

class Forwarding {
  readonly #client: ClientExchange
  readonly #context: ForwardContext
  readonly #requestId: string
  #body: IncomingBody | undefined
  #upstream: UpstreamRequest | undefined
  #endpoint: Endpoint | undefined
  #exchange: Exchange | undefined
  #stopWaiting: (() => void) | undefined
  #giveUpAtMs: number | undefined
  readonly #startedMs = performance.now()
  /** To the replica that has it now. */
  #sentMs = this.#startedMs
  /** Held or tried before: the time until then is not the replica's. */
  #delayed = false
  #sends = 0
  #done = false

  constructor(client: ClientExchange, context: ForwardContext) {
    this.#client = client
    this.#context = context
    this.#requestId = readRequestId(findHeader(client.head.headers, 'x-request-id'))
  }

  start(): void {
    const { budget, maxBodyBytes, timeoutMs, apiKeys } = this.#context
    const { method, framing } = this.#client.head
    this.#client.onClose = () => this.#clientLeft()
    try {
      if (apiKeys !== undefined) checkKey(this.#client.head, apiKeys)
      const target = readTarget(this.#client.head)
      if (framing.kind === 'Length' && framing.sizeBytes > maxBodyBytes) throw this.#tooLarge()
      this.#body = new IncomingBody(this.#client, {
        framing,
        keepBytes: keepBodyBytes,
        budget,
        maxBytes: maxBodyBytes,
        onTooLarge: () => {
          this.#exchange?.cancel()
          this.#refuse(this.#tooLarge())
        },
      })
      const headers = forwardedHeaders(this.#client, { requestId: this.#requestId, keyed: apiKeys !== undefined })
      this.#upstream = {
        method,
        head: renderRequestHead({ method, target, headers, framing }),
        body: this.#body,
        answerTimeoutMs: timeoutMs + timeoutMarginMs,
        stallTimeoutMs,
      }
    } catch (error) {
      if (!(error instanceof TowlineError)) throw error
      return this.#refuse(error)
    }
    this.#attempt()
  }

  #attempt(again?: Endpoint): void {
    if (this.#done || this.#upstream === undefined) return
    if (this.#giveUpAtMs !== undefined && performance.now() >= this.#giveUpAtMs) return this.#refuse(notReady())
    const endpoint = this.#context.endpoints.pick(again)
    if (endpoint === undefined) return this.#wait()
    if (this.#delayed) this.#sentMs = performance.now()
    this.#endpoint = endpoint
    let status = 0
    const relay = relayAnswer(this.#client, {
      onHead: (answered) => {
        status = answered
        endpoint.answered()
        this.#body?.forget()
      },
      onEnd: () => this.#answered(endpoint, status),
      onFail: (failure) => this.#failed(endpoint, failure),
    })
    // After a first failure no kept connection is trusted: each may be as stale as the one that failed.
    this.#exchange = endpoint.send(this.#upstream, relay, { fresh: this.#sends > 0 })
    relay.attach(this.#exchange)
  }

  #wait(): void {
    this.#delayed = true
    // A probe asks about now.
    if (this.#upstream?.method === 'GET' && this.#client.head.target.startsWith(healthPath))
      return this.#refuse(notReady())
    this.#giveUpAtMs ??= performance.now() + this.#context.waitMs
    const withdraw = this.#context.endpoints.wait(() => {
      clearTimeout(timer)
      this.#attempt()
    })
    const timer = setTimeout(() => {
      withdraw()
      this.#refuse(notReady())
    }, this.#giveUpAtMs - performance.now())
    this.#stopWaiting = () => {
      withdraw()
      clearTimeout(timer)
    }
  }

  #answered(endpoint: Endpoint, status: number): void {
    if (this.#done) return
    const nowMs = performance.now()
    const tookMs = nowMs - this.#sentMs
    // The replica's own time limit comes before ours: 504 is how it says that it was late.
    const slow = status === lateStatus || tookMs > this.#context.slowMs
    this.#count(endpoint, { error: status >= 500, refused: status >= 400 && status < 500, slow, tookMs, nowMs })
    this.#finish(status, nowMs)
  }

  #failed(endpoint: Endpoint, { kind, reused, message }: UpstreamFailure): void {
    this.#leaveEndpoint()
    this.#delayed = true
    if (kind !== 'NotSent') this.#sends++
    const stale = kind === 'NoAnswer' && reused
    if (kind !== 'ReceiverLate' && !stale) {
      endpoint.failed()
      const nowMs = performance.now()
      const tookMs = nowMs - this.#sentMs
      const slow = kind === 'Late' || tookMs > this.#context.slowMs
      this.#count(endpoint, { error: true, refused: false, slow, tookMs: kind === 'Late' ? tookMs : undefined, nowMs })
    }
    if (kind === 'NotSent' || (kind === 'NoAnswer' && !reused)) endpoint.eject(message)
    if (this.#done) return
    const note = { requestId: this.#requestId, replica: endpoint.address.id, kind, reason: message }
    if (this.#client.headSent) {
      this.#context.log.warn(note, 'an answer was cut off')
      return this.#finish(kind === 'ReceiverLate' ? 0 : 502)
    }
    const retriable = kind === 'NotSent' || (kind === 'NoAnswer' && this.#sends < maxSends)
    if (retriable && this.#body?.replayable === true) {
      if (!stale) this.#context.log.warn(note, 'the request is tried again')
      // Ejected endpoints come back within moments: without a limit a request could circle between them for ever.
      this.#giveUpAtMs ??= performance.now() + this.#context.waitMs
      return this.#attempt(stale ? endpoint : undefined)
    }
    const code = kind === 'Late' ? 'TL_UPSTREAM_TIMEOUT' : 'TL_UPSTREAM_FAILED'
    this.#refuse(new TowlineError(code, `replica ${endpoint.address.id}: ${message}`))
  }

  /** Probes say nothing about how a model answers, and would thin out what does. */
  #count(endpoint: Endpoint, outcome: Outcome): void {
    const { method, target } = this.#client.head
    if (method !== 'GET' || !probeTarget.test(target)) endpoint.count(outcome)
  }

  #refuse(error: TowlineError): void {
    if (this.#done) return
    const { method, target: url } = this.#client.head
    this.#context.log.warn({ requestId: this.#requestId, method, url, code: error.code }, error.message)
    refuse(this.#client, error, this.#requestId)
    this.#finish(codes[error.code].http)
  }

  #clientLeft(): void {
    if (this.#done) return
    this.#exchange?.cancel()
    this.#finish(0)
  }

  #finish(status: number, nowMs = performance.now()): void {
    if (this.#done) return
    this.#done = true
    this.#leaveEndpoint()
    this.#stopWaiting?.()
    this.#body?.forget()
    this.#context.onDone(status, nowMs - this.#startedMs, nowMs)
  }

  #leaveEndpoint(): void {
    this.#endpoint?.leave()
    this.#endpoint = undefined
    this.#exchange = undefined
  }

  #tooLarge(): TowlineError {
    const { maxBodyBytes } = this.#context
    return new TowlineError('TL_REQUEST_TOO_LARGE', `the body is over ${maxBodyBytes} bytes`)
  }
}

function notReady(): TowlineError {
  return new TowlineError('TL_NOT_READY', 'no replica can be reached', { hint: 'try again in a moment' })
}
