import { Endpoint, type EndpointEvents, type EndpointStatus } from './endpoint.ts'
import type { GatewayEndpoint, RevisionCounts } from './gateway-config.ts'
import { pickEndpoint } from './pick-endpoint.ts'
import { createTallies } from './revision-counts.ts'

/** The replicas of one service: those that take requests, and those that only finish theirs. */
export class EndpointSet {
  readonly #events: EndpointEvents
  readonly #waiting = new Set<() => void>()
  readonly #tallies = createTallies()
  #current: Endpoint[] = []
  #draining: Endpoint[] = []
  #turn = 0

  constructor(events: EndpointEvents) {
    this.#events = {
      onEject: events.onEject,
      onRestore: (endpoint) => {
        events.onRestore(endpoint)
        this.#wake()
      },
    }
  }

  /** What is left out is drained; what stays keeps its connections, counts and state. */
  update(wanted: readonly GatewayEndpoint[]): void {
    const before = new Map(this.#current.map((endpoint) => [keyOf(endpoint.address), endpoint]))
    this.#current = wanted.map((address) => {
      const key = keyOf(address)
      const known = before.get(key)
      before.delete(key)
      return known ?? new Endpoint(address, this.#tallies.of(address.revision), this.#events)
    })
    for (const gone of before.values()) gone.drain()
    this.#draining.push(...before.values())
    this.#wake()
  }

  pick(): Endpoint | undefined {
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

  revisions(): RevisionCounts[] {
    return this.#tallies.list()
  }

  status(): EndpointStatus[] {
    this.#draining = this.#draining.filter((endpoint) => endpoint.inFlight > 0)
    return [...this.#current, ...this.#draining].map((endpoint) => endpoint.status())
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
