import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { TowlineError } from '../../base/errors.ts'
import { sendJson } from '../../net/answer.ts'
import { readJson } from '../../net/body.ts'
import { sendControlError } from '../../net/control-error.ts'
import type { Handler } from '../../net/http-server.ts'
import type { ProcessIdentity } from '../../base/process/process-identity.ts'
import { parseRoute, parseSuccession } from './gateway-form.ts'
import type { Succession } from './gateway-config.ts'
import type { RouteTable } from './route-table.ts'

const maxRouteBytes = 1 << 20

export interface Controlled {
  readonly table: RouteTable
  readonly succeed: (succession: Succession) => Promise<ProcessIdentity>
  readonly log: Logger
}

/** `GET /healthz`, `GET /routes`, `PUT /routes/{service}`, `DELETE /routes/{service}`, `POST /successor`. */
export function createControlHandler(controlled: Controlled): Handler {
  const { log } = controlled
  return async (request, response) => {
    try {
      await answer(controlled, request, response)
    } catch (error) {
      if (!(error instanceof TowlineError)) log.error({ err: error, url: request.url }, 'a control call failed')
      sendControlError(response, error)
    }
  }
}

async function answer(
  { table, succeed }: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://gateway')
  const service = /^\/routes\/([^/]+)$/.exec(pathname)?.[1]
  switch (`${request.method} ${service === undefined ? pathname : '/routes/*'}`) {
    case 'GET /healthz':
      return sendJson(response, 200, {})
    case 'GET /routes':
      return sendJson(response, 200, table.status())
    case 'PUT /routes/*':
      return sendJson(response, 200, await table.put(await readRoute(request, decode(service))))
    case 'DELETE /routes/*':
      await table.remove(decode(service))
      return sendJson(response, 200, {})
    case 'POST /successor':
      return sendJson(response, 200, await succeed(parseSuccession(await readJson(request, maxRouteBytes))))
    default:
      throw new TowlineError('TL_ROUTE_UNKNOWN', `${request.method} ${pathname}`)
  }
}

async function readRoute(request: IncomingMessage, service: string): Promise<ReturnType<typeof parseRoute>> {
  const route = parseRoute(await readJson(request, maxRouteBytes))
  if (route.service === service) return route
  throw new TowlineError('TL_REQUEST_INVALID', `the address names ${service}, the route ${route.service}`)
}

function decode(text = ''): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new TowlineError('TL_REQUEST_INVALID', `${JSON.stringify(text)} is no name`, { cause })
  }
}
