import { TowlineError } from '../base/errors.ts'
import { sendError } from '../net/answer.ts'
import { type HttpServer, openHttpServer } from '../net/http-server.ts'
import { readTrace } from '../net/trace-context.ts'
import type { Log } from '../observe/log.ts'
import { createReplicaMetrics } from '../observe/metrics.ts'
import type { Exchange } from './http/exchange.ts'
import { routeRequest } from './http/routes.ts'
import { type LoadedModel, loadModel } from './loaded-model.ts'
import type { ReplicaConfig } from './replica-config.ts'

export interface Replica {
  readonly port: number
  readonly metricsPort: number
  readonly model: LoadedModel
  /** Readiness off, nothing new accepted, everything owed answered, sessions released. */
  close(): Promise<void>
}

export interface ReplicaOptions {
  readonly log: Log
  readonly version: string
  readonly onWorkerLost: (error: Error) => void
}

/** Loads the model, warms it up, and only then listens. */
export async function openReplica(
  config: ReplicaConfig,
  { log, version, onWorkerLost }: ReplicaOptions,
): Promise<Replica> {
  let draining = false
  let inFlight = 0
  let queuedRows = (): number => 0
  const metrics = createReplicaMetrics(config.modelName, {
    inFlight: () => inFlight,
    queuedRows: () => queuedRows(),
  })
  const loaded = await loadModel(config, { inferenceDone: metrics.inferenceDone, onWorkerLost })
  queuedRows = () => loaded.runtime.queuedRows
  const isLive = (): boolean => loaded.runtime.isLive()
  const state = { model: loaded, version, isReady: () => !draining && isLive(), isLive }

  const handle = async (request: Exchange['request'], response: Exchange['response']): Promise<void> => {
    const startMs = performance.now()
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1))
    const exchange: Exchange = { request, response, trace: readTrace(request.headers), query, rows: 0 }
    const isInference = request.method === 'POST' && url.includes('/infer')
    response.setHeader('x-request-id', exchange.trace.requestId)
    if (isInference) inFlight++
    let failure: unknown
    response.once('close', () => {
      const durationMs = performance.now() - startMs
      const status = response.writableFinished ? response.statusCode : 499
      if (isInference) {
        inFlight--
        metrics.requestAnswered(status, durationMs)
      }
      writeAccessLine(log, exchange, { status, durationMs, failure, isInference })
    })
    try {
      await routeRequest(state, exchange)
    } catch (error) {
      failure = error
      sendError(response, error)
    }
  }

  const openBoth = async (): Promise<[HttpServer, HttpServer]> => {
    const server = await openHttpServer({
      listen: { host: config.host, port: config.port },
      handle,
      maxConnections: 1024,
    })
    try {
      const sendMetrics = async (_: unknown, response: Exchange['response']): Promise<void> => {
        const text = await metrics.render()
        response.writeHead(200, { 'content-type': metrics.contentType })
        response.end(text)
      }
      return [
        server,
        await openHttpServer({
          listen: { host: config.host, port: config.metricsPort },
          handle: sendMetrics,
          maxConnections: 64,
        }),
      ]
    } catch (error) {
      await server.close(0)
      throw error
    }
  }

  try {
    const [server, metricsServer] = await openBoth()
    return {
      port: server.port,
      metricsPort: metricsServer.port,
      model: loaded,
      async close() {
        draining = true
        await server.close(config.drainTimeoutMs, config.lingerMs)
        await loaded.runtime.close()
        await metricsServer.close(0)
      },
    }
  } catch (error) {
    await loaded.runtime.close()
    throw error
  }
}

interface Outcome {
  readonly status: number
  readonly durationMs: number
  readonly failure: unknown
  readonly isInference: boolean
}

/** One line an inference; probes and metadata only when they fail. Never a body. */
function writeAccessLine(
  { to }: Log,
  { request, trace, rows }: Exchange,
  { status, durationMs, failure, isInference }: Outcome,
): void {
  const fields = {
    requestId: trace.requestId,
    traceId: trace.traceId,
    method: request.method,
    path: request.url?.slice(0, 400),
    status,
    durationMs: Math.round(durationMs * 100) / 100,
    rows,
  }
  if (failure !== undefined && !(failure instanceof TowlineError))
    to.error({ ...fields, err: failure }, 'a bug answered 500')
  else if (failure instanceof TowlineError && status >= 500)
    to.warn({ ...fields, code: failure.code, error: failure.message }, 'request failed')
  else if (failure instanceof TowlineError)
    to.info({ ...fields, code: failure.code, error: failure.message }, 'request refused')
  else if (isInference) to.info(fields, 'request')
}
