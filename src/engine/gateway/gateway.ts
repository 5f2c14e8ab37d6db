import type { Logger } from 'pino'
import { openHttpServer } from '../../net/http-server.ts'
import { createControlHandler } from './control-routes.ts'
import { type Predecessor, bequeathRoutes, inheritRoutes } from './handover.ts'
import type { ProcessIdentity } from '../../base/process/process-identity.ts'
import type { GatewayConfig, Succession } from './gateway-config.ts'
import { createRouteTable } from './route-table.ts'

export interface Gateway {
  /** Resolves when another process serves in this one's place. */
  readonly succeeded: Promise<void>
  /** Drains every service, `drainTimeoutMs` at most. */
  close(): Promise<void>
}

const controlDrainMs = 500
/**
 * For how long a gateway that was succeeded answers on the connections that its clients keep. Each answer tells its client to
 * connect anew; only what was idle for all this time is cut.
 */
const lingerMs = 5000

/**
 * Serves the routes of the gateway before this one, which still runs (`predecessor`) or left them in a file; then takes
 * orders on its control socket.
 */
export async function openGateway(config: GatewayConfig, log: Logger, predecessor?: Predecessor): Promise<Gateway> {
  const table = createRouteTable(config, log)
  const succeeded = Promise.withResolvers<void>()
  let hasSuccessor = false
  try {
    if (predecessor === undefined) await table.restore()
    else await inheritRoutes(predecessor, table)
    const succeed = async (succession: Succession): Promise<ProcessIdentity> => {
      const identity = await table.bequeath(async (routes) => await bequeathRoutes(succession, routes))
      hasSuccessor = true
      succeeded.resolve()
      return identity
    }
    const control = await openHttpServer({
      listen: { socketPath: config.controlSocket },
      handle: createControlHandler({ table, succeed, log }),
    })
    return {
      succeeded: succeeded.promise,
      close: async () => {
        // Orders are taken until the end: a replica that goes meanwhile must leave these routes too.
        await table.close(hasSuccessor ? lingerMs : 0)
        await control.close(controlDrainMs)
      },
    }
  } catch (error) {
    await table.close()
    throw error
  }
}
