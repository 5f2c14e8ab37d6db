import { TowlineError } from '../../base/errors.ts'
import { sendJson } from '../../net/answer.ts'
import { renderModelMetadata, renderServerMetadata } from '../../oip/metadata.ts'
import type { LoadedModel } from '../loaded-model.ts'
import { type Exchange, requireMethod, splitPath } from './exchange.ts'
import { answerInfer } from './infer.ts'

export interface RouteState {
  readonly model: LoadedModel
  readonly version: string
  isReady(): boolean
  isLive(): boolean
}

/** The Open Inference Protocol's routes, each once: a dozen fixed paths need no router. */
export async function routeRequest(state: RouteState, exchange: Exchange): Promise<void> {
  const path = exchange.request.url?.split('?', 1)[0] ?? '/'
  const [root, section, name, ...rest] = splitPath(path)
  if (root === 'livez' || root === 'healthz') return sendHealth(exchange, 'live', state.isLive())
  if (root === 'readyz') return sendHealth(exchange, 'ready', state.isReady())
  if (root !== 'v2') throw unknownRoute(path)
  if (section === undefined) {
    requireMethod(exchange, 'GET')
    return sendJson(exchange.response, 200, renderServerMetadata(state.version))
  }
  if (section === 'health' && rest.length === 0) {
    if (name === 'live') return sendHealth(exchange, 'live', state.isLive())
    if (name === 'ready') return sendHealth(exchange, 'ready', state.isReady())
  }
  if (section === 'repository' && name === 'index' && rest.length === 0) {
    requireMethod(exchange, 'POST')
    const ready = state.isReady()
    return sendJson(exchange.response, 200, [
      { name: state.model.name, state: ready ? 'READY' : 'UNAVAILABLE', reason: ready ? '' : 'draining' },
    ])
  }
  if (section === 'models') return routeModel(state, exchange, { path, name, rest })
  throw unknownRoute(path)
}

async function routeModel(
  state: RouteState,
  exchange: Exchange,
  { path, name, rest }: { path: string; name: string | undefined; rest: string[] },
): Promise<void> {
  const { model } = state
  if (name === undefined) {
    requireMethod(exchange, 'GET')
    return sendJson(exchange.response, 200, { models: [model.name] })
  }
  if (name !== model.name)
    throw new TowlineError(
      'TL_MODEL_MISSING',
      `Request for unknown model: '${name.slice(0, 200)}' is not found; this service has '${model.name}'`,
    )
  const [verb, ...more] = rest
  if (verb === 'versions')
    throw new TowlineError('TL_VERSION_UNSUPPORTED', `models here have no versions; ask for /v2/models/${name}`)
  if (more.length > 0) throw unknownRoute(path)
  if (verb === undefined) {
    requireMethod(exchange, 'GET')
    return sendJson(exchange.response, 200, renderModelMetadata(model.signature))
  }
  if (verb === 'ready') {
    requireMethod(exchange, 'GET')
    const ready = state.isReady()
    return sendJson(exchange.response, ready ? 200 : 503, { name: model.name, ready })
  }
  if (verb === 'infer') {
    requireMethod(exchange, 'POST')
    return answerInfer(model, exchange)
  }
  throw unknownRoute(path)
}

function sendHealth(exchange: Exchange, kind: 'live' | 'ready', good: boolean): void {
  requireMethod(exchange, 'GET')
  sendJson(exchange.response, good ? 200 : 503, { [kind]: good })
}

function unknownRoute(path: string): TowlineError {
  return new TowlineError('TL_ROUTE_UNKNOWN', path.slice(0, 200), {
    hint: 'the routes are those of the Open Inference Protocol: /v2, /v2/models/NAME, /v2/models/NAME/infer, /v2/health/ready',
  })
}
