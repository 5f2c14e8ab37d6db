import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { TowlineError } from '../../base/errors.ts'
import { type InferenceAnswer, inferUrl } from '../../bench/inference-call.ts'
import type { Payload } from '../../bench/payload.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { keys } from '../../render/names.ts'
import type { InferQuery } from '../service-control.ts'

/**
 * Asks the model by way of the API server, which reaches Services from outside. Statuses of 400 and up are answers, but for those that
 * the API server itself gives: TL_CLUSTER_FORBIDDEN names the right that is missing, TL_SERVICE_FAILED says that no replica answers.
 */
export async function inferThroughApi(
  client: KubeClient,
  { metadata, spec }: Deployment,
  { bytes, type }: Payload,
  { headers: asked = {}, topK, timeoutMs, signal }: InferQuery,
): Promise<InferenceAnswer> {
  const { name = '', namespace = '' } = metadata ?? {}
  // It would take the place of what the API server knows its caller by, and does not get any further than there.
  const { authorization: _, ...headers } = asked
  const model = spec?.template.metadata?.annotations?.[keys.modelName] ?? name
  const base = `/api/v1/namespaces/${namespace}/services/${name}:http/proxy`
  const query = topK === undefined ? '' : `?top_k=${topK}`
  const startMs = performance.now()
  const answer = await client.request({
    method: 'POST',
    path: `${inferUrl(base, model)}${query}`,
    headers: { 'content-type': type, ...headers },
    body: bytes,
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  })
  const text = Buffer.from(answer.body).toString()
  const body = parse(text)
  const said = sayOfApiServer(body)
  if (said !== undefined) throw explain(answer.status, said, name)
  return { status: answer.status, body, text, tookMs: performance.now() - startMs }
}

/** `kind: Status` is how the API server speaks for itself; a replica never does. */
function sayOfApiServer(body: unknown): string | undefined {
  const { kind, message } = (body ?? {}) as { readonly kind?: unknown; readonly message?: unknown }
  return kind === 'Status' && typeof message === 'string' ? message : undefined
}

function explain(status: number, said: string, name: string): TowlineError {
  if (status === 403 || status === 401)
    return new TowlineError('TL_CLUSTER_FORBIDDEN', said, {
      hint: 'a role needs `create` on `services/proxy`; from inside the cluster the service can be asked without it',
    })
  return new TowlineError('TL_SERVICE_FAILED', `${name} does not answer: ${said}`, {
    hint: 'a NetworkPolicy may keep the API server from reaching it, or no replica is ready',
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
