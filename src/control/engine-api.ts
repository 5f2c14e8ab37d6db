import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, isAbsolute } from 'node:path'
import type { Logger } from 'pino'
import { hasErrors, renderDiagnostic } from '../base/diagnostic.ts'
import { TowlineError } from '../base/errors.ts'
import type { Application, Engine } from '../engine/engine.ts'
import { sendJson } from '../net/answer.ts'
import { readJson } from '../net/body.ts'
import { sendControlError } from '../net/control-error.ts'
import type { Handler } from '../net/http-server.ts'
import type { ApiKey } from '../spec/service.ts'
import { validateDocument } from '../spec/validate.ts'
import type { ApplyRequest, ScaleRequest } from './api.ts'
import { parseOrder } from './order.ts'

const maxBodyBytes = 4 << 20

/** The routes of `api.ts` over one engine. */
export function createEngineApi(engine: Engine, log: Logger): Handler {
  /** Attached terminals by service: the last one to go takes the service with it. */
  const attached = new Map<string, number>()

  const detach = async (name: string): Promise<void> => {
    const rest = (attached.get(name) ?? 1) - 1
    attached.set(name, rest)
    if (rest > 0) return
    attached.delete(name)
    log.info({ service: name }, 'its terminal is gone: taking it down')
    try {
      await engine.remove(name)
    } catch (error) {
      log.error({ err: error, service: name }, 'it could not be taken down')
    }
  }

  const attach = async (name: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    await engine.apply(await readApplication(request, name))
    // From here on a caller who has gone in the meantime is noticed: nobody's service is left running.
    attached.set(name, (attached.get(name) ?? 0) + 1)
    try {
      await stream(engine, name, response)
    } finally {
      // Not awaited: the connection is closed, nobody waits for this answer.
      void detach(name)
    }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://engine')
    const [, service = '', verb] =
      /^\/v1\/services\/([^/]+)(?:\/(watch|attach|scale|plan|order|history|events))?$/.exec(pathname) ?? []
    const name = decode(service)
    const route = service === '' ? pathname : verb === undefined ? 'service' : verb
    switch (`${request.method} ${route}`) {
      case 'GET /v1/status':
        return sendJson(response, 200, await engine.status())
      case 'PUT service':
        return sendJson(response, 202, await engine.apply(await readApplication(request, name)))
      case 'GET /v1/load':
        return sendJson(response, 200, await engine.load())
      case 'POST /v1/gateway/restart':
        return sendJson(response, 200, await engine.restartGateway())
      case 'PUT scale':
        return sendJson(
          response,
          202,
          engine.scale(name, parseScaleRequest(await readJson(request, maxBodyBytes)).replicas),
        )
      case 'POST plan':
        return sendJson(response, 200, await engine.plan(await readApplication(request, name)))
      case 'POST order':
        return sendJson(response, 202, engine.order(name, parseOrder(await readJson(request, maxBodyBytes))))
      case 'GET history':
        return sendJson(response, 200, engine.history(name))
      case 'DELETE service':
        await engine.remove(name)
        return sendJson(response, 200, {})
      case 'GET events':
        return sendJson(response, 200, engine.events(name, parseCount(searchParams.get('count') ?? '50')))
      case 'GET watch':
        return stream(engine, name, response)
      case 'POST attach':
        return attach(name, request, response)
      default:
        throw new TowlineError('TL_ROUTE_UNKNOWN', `${request.method} ${pathname}`)
    }
  }

  return async (request, response) => {
    try {
      await answer(request, response)
    } catch (error) {
      if (!(error instanceof TowlineError)) log.error({ err: error, url: request.url }, 'a control call failed')
      sendControlError(response, error)
    }
  }
}

/** Ends with the service, or with the connection. */
async function stream(engine: Engine, name: string, response: ServerResponse): Promise<void> {
  const closed = new AbortController()
  if (response.closed) return
  response.once('close', () => closed.abort())
  for await (const status of engine.watch(name, closed.signal)) {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    if (closed.signal.aborted) return
    if (!response.write(`${JSON.stringify(status)}\n`)) {
      await once(response, 'drain', { signal: closed.signal }).catch(() => undefined)
    }
  }
  response.end()
}

async function readApplication(request: IncomingMessage, name: string): Promise<Application> {
  const {
    document,
    file,
    port,
    env,
    apiKeys,
    environment = null,
  } = parseApplyRequest(await readJson(request, maxBodyBytes))
  const { service, diagnostics } = await validateDocument(document, {
    baseDir: dirname(file),
    file,
    ...(env === undefined ? {} : { env }),
    ...(apiKeys === undefined ? {} : { apiKeys }),
  })
  if (service === undefined || hasErrors(diagnostics)) {
    throw new TowlineError('TL_SPEC_INVALID', diagnostics.map(renderDiagnostic).join('\n'))
  }
  if (service.name !== name) {
    throw new TowlineError('TL_REQUEST_INVALID', `the address names ${name}, the document ${service.name}`)
  }
  return { service, file, environment, ...(port === undefined ? {} : { port }) }
}

export function parseApplyRequest(body: unknown): ApplyRequest {
  const refuse = (why: string): never => {
    throw new TowlineError('TL_REQUEST_INVALID', why)
  }
  if (typeof body !== 'object' || body === null) return refuse('the body is no object')
  const { document, file, port, env, apiKeys, environment, ...rest } = body as Record<string, unknown>
  const unknown = Object.keys(rest)
  if (unknown.length > 0) return refuse(`unknown fields: ${unknown.join(', ')}`)
  if (typeof file !== 'string' || !isAbsolute(file)) return refuse('`file` must be an absolute path')
  if (port !== undefined && (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65_535))
    return refuse(`\`port\` must be a whole number from 0 to 65535, not ${JSON.stringify(port)}`)
  if (env !== undefined && !isTextRecord(env)) return refuse('`env` must map names to text')
  if (apiKeys !== undefined && !isKeyList(apiKeys))
    return refuse('`apiKeys` must be a list of callers with SHA-256 hashes')
  if (environment !== undefined && typeof environment !== 'string') return refuse('`environment` must be text')
  return {
    document,
    file,
    ...(environment === undefined ? {} : { environment }),
    ...(port === undefined ? {} : { port }),
    ...(env === undefined ? {} : { env }),
    ...(apiKeys === undefined ? {} : { apiKeys }),
  }
}

export function parseScaleRequest(body: unknown): ScaleRequest {
  const replicas = typeof body === 'object' && body !== null && 'replicas' in body ? body.replicas : undefined
  if (typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0 && replicas <= 1000)
    return { replicas }
  throw new TowlineError(
    'TL_REQUEST_INVALID',
    `\`replicas\` must be a whole number from 0 to 1000, not ${JSON.stringify(replicas)}`,
  )
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new TowlineError(
    'TL_REQUEST_INVALID',
    `\`count\` must be a whole number from 1 to 9999, not ${JSON.stringify(text)}`,
  )
}

function isKeyList(value: unknown): value is readonly ApiKey[] {
  return Array.isArray(value) && value.length <= 1000 && value.every((item: unknown) => isKey(item))
}

function isKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('caller' in value) || !('sha256' in value)) return false
  return typeof value.caller === 'string' && typeof value.sha256 === 'string' && /^[0-9a-f]{64}$/.test(value.sha256)
}

function isTextRecord(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new TowlineError('TL_REQUEST_INVALID', `${JSON.stringify(text)} is no name`, { cause })
  }
}
