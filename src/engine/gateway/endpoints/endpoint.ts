import { connect } from 'node:net'
import { backoffMs } from '../../../base/backoff.ts'
import type { AnswerReader, Exchange, UpstreamRequest } from '../../../net/upstream/connection.ts'
import { type UpstreamPool, openUpstreamPool } from '../../../net/upstream/pool.ts'
import type { GatewayEndpoint, GatewayRouteStatus } from '../gateway-config.ts'
import type { Candidate } from './pick-endpoint.ts'
import { type Outcome, type RevisionTally, countOutcome } from './revision-counts.ts'

export type EndpointStatus = GatewayRouteStatus['endpoints'][number]

export interface EndpointEvents {
  readonly onEject: (endpoint: Endpoint, reason: string) => void
  readonly onRestore: (endpoint: Endpoint) => void
}

/** Before a connection is tried again: short, since a replica that was restarted should not wait for its work. */
const probeBackoff = { firstMs: 100, factor: 2, maxMs: 2000 } as const
const probeTimeoutMs = 1000

/** One replica: its connections, its counts, and whether it can be reached. */
export class Endpoint implements Candidate {
  readonly address: GatewayEndpoint
  readonly #tally: RevisionTally
  readonly #pool: UpstreamPool
  readonly #events: EndpointEvents
  #state: Candidate['state'] = 'Active'
  #inFlight = 0
  #requests = 0
  #failures = 0
  /** Ejections since the last answer. */
  #ejections = 0
  #stopProbe: (() => void) | undefined

  constructor(address: GatewayEndpoint, tally: RevisionTally, events: EndpointEvents) {
    this.address = address
    this.#tally = tally
    this.#events = events
    this.#pool = openUpstreamPool({ host: address.host, port: address.port })
  }

  get state(): Candidate['state'] {
    return this.#state
  }

  get inFlight(): number {
    return this.#inFlight
  }

  status(): EndpointStatus {
    return {
      id: this.address.id,
      port: this.address.port,
      state: this.#state,
      inFlight: this.#inFlight,
      requests: this.#requests,
      failures: this.#failures,
    }
  }

  /** Each request sent is given back once, with `leave`. */
  send(request: UpstreamRequest, reader: AnswerReader, options: { readonly fresh: boolean }): Exchange {
    this.#inFlight++
    this.#tally.inFlight++
    this.#requests++
    return this.#pool.send(request, reader, options)
  }

  leave(): void {
    this.#inFlight--
    this.#tally.inFlight--
  }

  /** Once for each request sent, but for those that end because of their client. */
  count(outcome: Outcome): void {
    countOutcome(this.#tally, outcome)
  }

  answered(): void {
    this.#ejections = 0
  }

  failed(): void {
    this.#failures++
  }

  /** Gets no requests until a connection succeeds; tried by itself, so that no request pays for the attempt. */
  eject(reason: string): void {
    if (this.#state !== 'Active') return
    this.#state = 'Ejected'
    this.#events.onEject(this, reason)
    this.#probeLater()
  }

  /** No new requests; those in flight finish, over connections that end with them. */
  drain(): void {
    this.#state = 'Draining'
    this.#stopProbe?.()
    this.#stopProbe = undefined
    this.#pool.close()
  }

  #probeLater(): void {
    const timer = setTimeout(() => this.#probe(), backoffMs(probeBackoff, this.#ejections++, Math.random()))
    this.#stopProbe = () => clearTimeout(timer)
  }

  #probe(): void {
    const { host, port } = this.address
    const socket = connect({ host, port, timeout: probeTimeoutMs })
    this.#stopProbe = () => socket.destroy()
    let reached = false
    socket.once('timeout', () => socket.destroy())
    socket.once('connect', () => {
      reached = true
      socket.destroy()
    })
    socket.on('error', () => undefined) // 'close' follows.
    socket.once('close', () => {
      if (this.#state !== 'Ejected') return
      if (!reached) return this.#probeLater()
      this.#stopProbe = undefined
      this.#state = 'Active'
      this.#events.onRestore(this)
    })
  }
}
