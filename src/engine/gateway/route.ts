import { randomUUID } from 'node:crypto'
import type { Server as NetServer } from 'node:net'
import type { Logger } from 'pino'
import { openClientServer } from '../../net/downstream/client-server.ts'
import type { HttpServer, ListenTarget } from '../../net/http-server.ts'
import { createLatencyWindow } from '../../observe/latency-window.ts'
import type { KeepBudget } from '../../net/upstream/body.ts'
import { EndpointSet } from './endpoints/endpoint-set.ts'
import { forwardRequest } from './forward.ts'
import type { GatewayRoute, GatewayRouteStatus } from './gateway-config.ts'

/** Clients of one service at a time, with one request each; more are turned away before anything is read from them. */
const maxConnections = 1024

export interface Route {
  /** As it was asked for, with the port that it got. */
  readonly settings: GatewayRoute
  status(): GatewayRouteStatus
  /** Same service, other settings. Rejects with TL_PORT_TAKEN and stays as it is when the new address cannot be had. */
  apply(settings: GatewayRoute): Promise<void>
  readonly listener: NetServer
  /** Accepts nothing more and waits for what is owed, `drainMs` at most; idle connections end after `lingerMs`. */
  close(drainMs: number, lingerMs?: number): Promise<void>
}

export interface RouteOptions {
  readonly log: Logger
  readonly budget: KeepBudget
  /** For connections on an address that the service has left. */
  readonly drainMs: number
  /** From a gateway that this one takes over from. */
  readonly listener?: NetServer | undefined
}

export async function openRoute(settings: GatewayRoute, options: RouteOptions): Promise<Route> {
  const { log, budget, drainMs } = options
  const countedSince = randomUUID()
  let current = settings
  let inFlight = 0
  let requests = 0
  let errors = 0
  let inFlightMs = 0
  let changedMs = performance.now()
  const latency = createLatencyWindow()
  const moved = new Set<Promise<void>>()
  const endpoints = new EndpointSet({
    onEject: ({ address }, reason) => log.warn({ replica: address.id, port: address.port, reason }, 'replica ejected'),
    onRestore: ({ address }) => log.info({ replica: address.id, port: address.port }, 'replica reached again'),
  })
  /** Adds up what was in flight until now, before that number changes. */
  const integrate = (nowMs: number): void => {
    inFlightMs += inFlight * (nowMs - changedMs)
    changedMs = nowMs
  }
  const onDone = (status: number, durationMs: number, nowMs: number): void => {
    integrate(nowMs)
    inFlight--
    if (status >= 500) errors++
    if (status !== 0) latency.record(durationMs, nowMs)
  }

  const listen = async (target: ListenTarget): Promise<HttpServer> =>
    await openClientServer({
      listen: target,
      maxConnections,
      handle: (client) => {
        integrate(performance.now())
        inFlight++
        requests++
        const { timeoutMs, waitMs, slowMs, maxBodyBytes, apiKeys } = current
        const limits = { timeoutMs, waitMs, slowMs, maxBodyBytes, apiKeys }
        forwardRequest(client, { endpoints, ...limits, budget, log, onDone })
      },
    })

  let server = await listen(options.listener === undefined ? settings : { listener: options.listener })
  current = { ...settings, port: server.port }
  endpoints.update(settings)

  return {
    get settings() {
      return current
    },
    status: () => {
      const nowMs = performance.now()
      integrate(nowMs)
      return {
        service: current.service,
        host: current.host,
        port: current.port,
        inFlight,
        countedSince,
        requests,
        errors,
        waiting: endpoints.waiting,
        inFlightMs,
        measuredAtMs: nowMs,
        latency: latency.summarize(nowMs),
        revisions: endpoints.revisions(nowMs),
        endpoints: endpoints.status(),
      }
    },
    apply: async (wanted) => {
      const port = wanted.port === 0 ? current.port : wanted.port
      if (port !== current.port || wanted.host !== current.host) {
        const opened = await listen({ host: wanted.host, port })
        const leaving = server.close(drainMs).finally(() => moved.delete(leaving))
        moved.add(leaving)
        server = opened
      }
      current = { ...wanted, port }
      endpoints.update(wanted)
    },
    get listener() {
      return server.listener
    },
    close: async (drainMs, lingerMs) => {
      await Promise.all([server.close(drainMs, lingerMs), ...moved])
      endpoints.update({ endpoints: [] })
    },
  }
}
