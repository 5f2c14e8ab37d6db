import type { Logger } from 'pino'
import { type HttpServer, openHttpServer } from '../../net/http-server.ts'
import type { KeepBudget } from '../../net/upstream-body.ts'
import { EndpointSet } from './endpoint-set.ts'
import { forwardRequest } from './forward.ts'
import type { GatewayRoute, GatewayRouteStatus } from './gateway-config.ts'

/** Clients of one service at a time; more are turned away before anything is read from them. */
const maxConnections = 1024
/** A client may send many requests on one connection without waiting for answers: those are bounded too. */
const maxInFlight = 1024

export interface Route {
  /** As it was asked for, with the port that it got. */
  readonly settings: GatewayRoute
  status(): GatewayRouteStatus
  /** Same service, other settings. Rejects with TL_PORT_TAKEN and stays as it is when the new address cannot be had. */
  apply(settings: GatewayRoute): Promise<void>
  /** Accepts nothing more and waits for what is owed, `drainMs` at most. */
  close(drainMs: number): Promise<void>
}

export interface RouteOptions {
  readonly log: Logger
  readonly budget: KeepBudget
  /** For connections on an address that the service has left. */
  readonly drainMs: number
}

export async function openRoute(settings: GatewayRoute, { log, budget, drainMs }: RouteOptions): Promise<Route> {
  let current = settings
  let inFlight = 0
  let requests = 0
  let errors = 0
  const moved = new Set<Promise<void>>()
  const endpoints = new EndpointSet({
    onEject: ({ address }, reason) => log.warn({ replica: address.id, port: address.port, reason }, 'replica ejected'),
    onRestore: ({ address }) => log.info({ replica: address.id, port: address.port }, 'replica reached again'),
  })
  const onDone = (status: number): void => {
    inFlight--
    if (status >= 500) errors++
  }

  const listen = async ({ host, port }: GatewayRoute): Promise<HttpServer> =>
    await openHttpServer({
      listen: { host, port },
      maxConnections,
      handle: (request, response) => {
        inFlight++
        requests++
        const { timeoutMs, maxBodyBytes } = current
        const full = inFlight > maxInFlight
        forwardRequest(request, response, { endpoints, timeoutMs, maxBodyBytes, full, budget, log, onDone })
      },
    })

  let server = await listen(settings)
  current = { ...settings, port: server.port }
  endpoints.update(settings.endpoints)

  return {
    get settings() {
      return current
    },
    status: () => ({
      service: current.service,
      host: current.host,
      port: current.port,
      inFlight,
      requests,
      errors,
      endpoints: endpoints.status(),
    }),
    apply: async (wanted) => {
      const port = wanted.port === 0 ? current.port : wanted.port
      if (port !== current.port || wanted.host !== current.host) {
        const opened = await listen({ ...wanted, port })
        const leaving = server.close(drainMs).finally(() => moved.delete(leaving))
        moved.add(leaving)
        server = opened
      }
      current = { ...wanted, port }
      endpoints.update(wanted.endpoints)
    },
    close: async (drainMs) => {
      await Promise.all([server.close(drainMs), ...moved])
      endpoints.update([])
    },
  }
}
