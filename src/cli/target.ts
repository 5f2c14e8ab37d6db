import { TowlineError, hasErrno } from '../base/errors.ts'
import { inferUrl } from '../bench/inference-call.ts'
import { connectEngine } from '../control/client.ts'
import { findService } from '../control/find-service.ts'
import { keyHeader } from './inference.ts'

/** A name of this project, an address with the model's path, or a bare address whose one model is asked for. */
export async function resolveTarget(projectDir: string, target: string): Promise<string> {
  if (!isAddress(target)) {
    const { url, model } = findService(await (await connectEngine(projectDir)).services(), target)
    return inferUrl(url, model.name)
  }
  const { pathname } = new URL(target)
  if (pathname.endsWith('/infer')) return target
  const base = target.replace(/\/+$/, '')
  if (/\/v2\/models\/[^/]+$/.test(pathname)) return `${base}/infer`
  return inferUrl(base, (await listModels(base))[0] ?? 'model')
}

export function isAddress(target: string): boolean {
  return /^https?:\/\//.test(target)
}

async function listModels(base: string): Promise<readonly string[]> {
  const { requestJson } = await import('../net/http-client.ts')
  try {
    const { body } = await requestJson({
      url: base,
      method: 'GET',
      path: '/v2/models',
      headers: keyHeader(),
      timeoutMs: 5000,
    })
    const { models = [] } = (body ?? {}) as { models?: readonly string[] } // a foreign server may not list any
    return models
  } catch (cause) {
    if (!hasErrno(cause, 'ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'ECONNRESET')) throw cause
    throw new TowlineError('TL_SERVICE_UNKNOWN', `nothing answers at ${base}`, {
      cause,
      hint: '`towline up FILE` starts a service',
    })
  }
}
