import type { Server as NetServer } from 'node:net'
import type { Logger } from 'pino'
import { TowlineError } from '../../base/errors.ts'
import type { KeepBudget } from '../../net/upstream/body.ts'
import type { GatewayConfig, GatewayRoute, GatewayRouteStatus } from './gateway-config.ts'
import { type Route, openRoute } from './route.ts'
import { createRoutesWriter, readRoutes } from './routes-file.ts'

/** The services that the gateway serves. */
export interface RouteTable {
  status(): GatewayRouteStatus[]
  /** Opens the routes of the file, as far as they can be served. */
  restore(): Promise<void>
  /** Accepts from now on what the gateway before this one listened for. */
  inherit(route: GatewayRoute, listener: NetServer): Promise<void>
  /** Nothing changes while `hand` gives all of it to another process; what comes after it has succeeded belongs to that one. */
  bequeath<T>(hand: (routes: readonly Route[]) => Promise<T>): Promise<T>
  /** A route of a closing table keeps its address and gets other replicas: those that are left must be able to end. */
  put(route: GatewayRoute): Promise<GatewayRouteStatus>
  /** Resolves once the service owes no answer any more. */
  remove(service: string): Promise<void>
  /** Drains every service, `drainTimeoutMs` at most; idle connections end after `lingerMs`. */
  close(lingerMs?: number): Promise<void>
}

/** Memory for request bodies that may have to be sent again, over all services. */
const keepBudgetBytes = 256 << 20

export function createRouteTable(
  { routesFile, drainTimeoutMs }: Pick<GatewayConfig, 'routesFile' | 'drainTimeoutMs'>,
  log: Logger,
): RouteTable {
  const budget: KeepBudget = { freeBytes: keepBudgetBytes }
  const routes = new Map<string, Route>()
  const leaving = new Map<Route, Promise<void>>()
  const write = createRoutesWriter(routesFile)
  let closing = false
  /** Changes are made one after the other: two for one service must not both open its port. */
  let last: Promise<unknown> = Promise.resolve()

  const inTurn = async <T>(change: () => Promise<T>): Promise<T> => {
    const mine = last.then(change)
    last = mine.catch(() => undefined)
    return await mine
  }

  const save = (): void => {
    // The file is the successor's by now, or what a later gateway begins with.
    if (closing) return
    try {
      write([...routes.values()].map((route) => route.settings))
    } catch (error) {
      // The routes are served all the same; only a restart of the gateway would have to wait for the engine.
      log.error({ err: error }, 'the routes could not be saved')
    }
  }

  const open = async (settings: GatewayRoute, listener?: NetServer): Promise<Route> => {
    const opened = await openRoute(settings, {
      log: log.child({ service: settings.service }),
      budget,
      drainMs: drainTimeoutMs,
      listener,
    })
    routes.set(settings.service, opened)
    return opened
  }

  /** Once for each route, however often it is asked for. */
  const close = async (route: Route, lingerMs?: number): Promise<void> => {
    const closed = leaving.get(route) ?? route.close(drainTimeoutMs, lingerMs)
    leaving.set(route, closed)
    await closed.finally(() => leaving.delete(route))
  }

  return {
    status: () => [...routes.values()].map((route) => route.status()),
    restore: async () => await restoreRoutes(routesFile, { open, log }),
    inherit: async (settings, listener) => {
      await open(settings, listener)
      log.info({ service: settings.service, port: settings.port }, 'route inherited')
    },
    bequeath: async (hand) =>
      await inTurn(async () => {
        if (closing) throw new TowlineError('TL_NOT_READY', 'the gateway is stopping')
        const result = await hand([...routes.values()])
        closing = true
        return result
      }),
    put: async (settings) =>
      await inTurn(async () => {
        let route = routes.get(settings.service)
        if (closing) {
          if (route === undefined) throw new TowlineError('TL_NOT_READY', 'the gateway is stopping')
          const { host, port } = route.settings
          await route.apply({ ...settings, host, port })
          return route.status()
        }
        if (route === undefined) route = await open(settings)
        else await route.apply(settings)
        save()
        const status = route.status()
        const { endpoints, weights } = settings
        log.info({ service: status.service, port: status.port, endpoints: endpoints.length, weights }, 'route set')
        return status
      }),
    remove: async (service) => {
      const route = await inTurn(async () => {
        const found = routes.get(service)
        if (found === undefined) throw new TowlineError('TL_SERVICE_UNKNOWN', `no route for ${JSON.stringify(service)}`)
        routes.delete(service)
        save()
        return found
      })
      await close(route)
      log.info({ service }, 'route removed')
    },
    close: async (lingerMs) => {
      closing = true
      await last
      await Promise.all([...[...routes.values()].map((route) => close(route, lingerMs)), ...leaving.values()])
    },
  }
}

interface Restoring {
  readonly open: (settings: GatewayRoute) => Promise<unknown>
  readonly log: Logger
}

async function restoreRoutes(file: string, { open, log }: Restoring): Promise<void> {
  let saved: GatewayRoute[] = []
  try {
    saved = readRoutes(file)
  } catch (error) {
    log.error({ err: error }, 'starting without routes; the engine will set them')
  }
  for (const settings of saved) {
    try {
      await open(settings)
      log.info({ service: settings.service, port: settings.port }, 'route restored')
    } catch (error) {
      log.error({ err: error, service: settings.service }, 'a route could not be restored')
    }
  }
}
