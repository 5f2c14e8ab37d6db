import type { Logger } from 'pino'
import { TowlineError } from '../../base/errors.ts'
import type { KeepBudget } from '../../net/upstream-body.ts'
import type { GatewayConfig, GatewayRoute, GatewayRouteStatus } from './gateway-config.ts'
import { type Route, openRoute } from './route.ts'
import { createRoutesWriter, readRoutes } from './routes-file.ts'

/** The services that the gateway serves. */
export interface RouteTable {
  status(): GatewayRouteStatus[]
  put(route: GatewayRoute): Promise<GatewayRouteStatus>
  /** Resolves once the service owes no answer any more. */
  remove(service: string): Promise<void>
  /** Drains every service, `drainTimeoutMs` at most. */
  close(): Promise<void>
}

/** Memory for request bodies that may have to be sent again, over all services. */
const keepBudgetBytes = 256 << 20

/** Begins with the routes of the file, as far as they can be served. */
export async function openRouteTable(
  { routesFile, drainTimeoutMs }: Pick<GatewayConfig, 'routesFile' | 'drainTimeoutMs'>,
  log: Logger,
): Promise<RouteTable> {
  const budget: KeepBudget = { freeBytes: keepBudgetBytes }
  const routes = new Map<string, Route>()
  const leaving = new Set<Promise<void>>()
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
    try {
      write([...routes.values()].map((route) => route.settings))
    } catch (error) {
      // The routes are served all the same; only a restart of the gateway would have to wait for the engine.
      log.error({ err: error }, 'the routes could not be saved')
    }
  }

  const open = async (settings: GatewayRoute): Promise<Route> => {
    const opened = await openRoute(settings, {
      log: log.child({ service: settings.service }),
      budget,
      drainMs: drainTimeoutMs,
    })
    routes.set(settings.service, opened)
    return opened
  }

  const close = async (route: Route): Promise<void> => {
    const closed = route.close(drainTimeoutMs)
    leaving.add(closed)
    await closed.finally(() => leaving.delete(closed))
  }

  await restoreRoutes(routesFile, { open, log })

  return {
    status: () => [...routes.values()].map((route) => route.status()),
    put: async (settings) =>
      await inTurn(async () => {
        if (closing) throw new TowlineError('TL_NOT_READY', 'the gateway is stopping')
        let route = routes.get(settings.service)
        if (route === undefined) route = await open(settings)
        else await route.apply(settings)
        save()
        const status = route.status()
        log.info({ service: status.service, port: status.port, endpoints: settings.endpoints.length }, 'route set')
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
    close: async () => {
      closing = true
      await last
      await Promise.all([...[...routes.values()].map(close), ...leaving])
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
