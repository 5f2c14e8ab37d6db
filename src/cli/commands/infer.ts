import { connectEngine } from '../../control/client.ts'
import type { CliContext } from '../context.ts'
import { renderClasses, sendFile } from '../inference.ts'
import { findProjectDir } from '../project.ts'
import { renderRow } from '../term/layout.ts'
import { findService } from './status.ts'

export interface InferFlags {
  readonly json: boolean
  readonly top?: number
  readonly timeout: number
  readonly project?: string
}

export async function infer(this: CliContext, flags: InferFlags, target: string, file: string): Promise<void> {
  const { terminal } = this
  const url = await resolveTarget(findProjectDir(this.cwd, flags.project), target)
  const inference = await sendFile(file, { url, top: flags.top, timeoutMs: flags.timeout })
  const classes = flags.json ? undefined : renderClasses(file, inference)
  terminal.out(
    classes === undefined
      ? JSON.stringify(inference.body, undefined, flags.json ? undefined : 2)
      : renderRow('', classes).trimStart(),
  )
}

/** A name of this project, an address with the model's path, or a bare address whose one model is asked for. */
async function resolveTarget(projectDir: string, target: string): Promise<string> {
  if (!/^https?:\/\//.test(target)) {
    const { url, model } = findService(await (await connectEngine(projectDir)).status(), target)
    return inferUrl(url, model.name)
  }
  const { pathname } = new URL(target)
  if (pathname.endsWith('/infer')) return target
  const base = target.replace(/\/+$/, '')
  if (/\/v2\/models\/[^/]+$/.test(pathname)) return `${base}/infer`
  const { requestJson } = await import('../../net/http-client.ts')
  const { body } = await requestJson({ url: base, method: 'GET', path: '/v2/models', timeoutMs: 5000 })
  const { models = [] } = (body ?? {}) as { models?: readonly string[] } // a foreign server may not list any
  return inferUrl(base, models[0] ?? 'model')
}

const inferUrl = (base: string, model: string): string => `${base}/v2/models/${encodeURIComponent(model)}/infer`
