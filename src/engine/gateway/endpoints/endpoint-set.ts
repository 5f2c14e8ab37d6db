import type { GatewayEndpoint, GatewayRoute, RevisionCounts, RevisionWeight } from '../gateway-config.ts'
import { Endpoint, type EndpointEvents, type EndpointStatus } from './endpoint.ts'
import { pickEndpoint } from './pick-endpoint.ts'
import { createTallies } from './revision-counts.ts'
import { type RevisionShare, createShares, haveWeights, pickFromShares, turnsOfOrder } from './revision-shares.ts'

/** The replicas of one service: those that take requests, and those that only finish theirs. */
export class EndpointSet {
  readonly #events: EndpointEvents
  readonly #waiting = new Set<() => void>()
  readonly #tallies = createTallies()
  #current: Endpoint[] = []
  #draining: Endpoint[] = []
  #turn = 0
  /** Undefined: revisions make no difference. */
  #shares: readonly RevisionShare<Endpoint>[] | undefined

  constructor(events: EndpointEvents) {
    this.#events = {
      onEject: events.onEject,
      onRestore: (endpoint) => {
        events.onRestore(endpoint)
        this.#wake()
      },
    }
  }

  /** What is left out is drained; what stays keeps its connections, counts and state, and the same weights their order. */
  update({ endpoints, weights }: Pick<GatewayRoute, 'endpoints' | 'weights'>): void {
    const before = new Map(this.#current.map((endpoint) => [keyOf(endpoint.address), endpoint]))
    this.#current = endpoints.map((address) => {
      const key = keyOf(address)
      const known = before.get(key)
      before.delete(key)
      return known ?? new Endpoint(address, this.#tallies.of(address.revision), this.#events)
    })
    for (const gone of before.values()) gone.drain()
    this.#draining.push(...before.values())
    this.#tallies.forget(new Set(endpoints.map(({ revision }) => revision)))
    this.#shares = weights === undefined ? undefined : this.#share(weights)
    this.#wake()
  }

  /** `preferred` when it may still be taken: that costs no revision its turn. */
  pick(preferred?: Endpoint): Endpoint | undefined {
    if (preferred?.state === 'Active' && this.#hasShare(preferred)) return preferred
    if (this.#shares !== undefined) return pickFromShares(this.#shares)
    const index = pickEndpoint(this.#current, this.#turn)
    if (index === undefined) return undefined
    this.#turn = index + 1
    return this.#current[index]
  }

  /** Calls `wake` once, when an endpoint may have become active. The returned function withdraws. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => void this.#waiting.delete(wake)
  }

  get waiting(): number {
    return this.#waiting.size
  }

  revisions(nowMs: number): RevisionCounts[] {
    return this.#tallies.list(nowMs)
  }

  status(): EndpointStatus[] {
    this.#draining = this.#draining.filter((endpoint) => endpoint.inFlight > 0)
    return [...this.#current, ...this.#draining].map((endpoint) => endpoint.status())
  }

  #share(weights: readonly RevisionWeight[]): readonly RevisionShare<Endpoint>[] {
    const known = this.#shares !== undefined && haveWeights(this.#shares, weights) ? this.#shares : undefined
    const shares = known ?? createShares<Endpoint>(weights, Math.floor(Math.random() * turnsOfOrder))
    for (const share of shares)
      share.candidates = this.#current.filter(({ address }) => address.revision === share.revision)
    return shares
  }

  #hasShare({ address }: Endpoint): boolean {
    return this.#shares?.some(({ revision }) => revision === address.revision) ?? true
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}

function keyOf({ id, revision, host, port }: GatewayEndpoint): string {
  return `${id} ${revision} ${host} ${port}`
}
