import type { Logger } from 'pino'
import { openHttpServer } from '../../net/http-server.ts'
import { createControlHandler } from './control-routes.ts'
import type { GatewayConfig } from './gateway-config.ts'
import { openRouteTable } from './route-table.ts'

export interface Gateway {
  /** Drains every service, `drainTimeoutMs` at most. */
  close(): Promise<void>
}

const controlDrainMs = 500

/** Serves the routes it had before, then takes orders on its control socket. */
export async function openGateway(config: GatewayConfig, log: Logger): Promise<Gateway> {
  const table = await openRouteTable(config, log)
  try {
    const control = await openHttpServer({
      listen: { socketPath: config.controlSocket },
      handle: createControlHandler(table, log),
    })
    return {
      close: async () => {
        await Promise.all([control.close(controlDrainMs), table.close()])
      },
    }
  } catch (error) {
    await table.close()
    throw error
  }
}
