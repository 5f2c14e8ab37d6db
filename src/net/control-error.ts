import type { ServerResponse } from 'node:http'
import { type ErrorCode, TowlineError, codes } from '../base/errors.ts'
import { sendJson } from './answer.ts'
import type { HttpAnswer } from './http-client.ts'

/** The error form of every control interface: `{"error": {"code", "message", "hint"?}}`. */

/** The text of an error that is no TowlineError (a bug) stays out of the answer. */
export function sendControlError(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  if (!response.req.complete) response.setHeader('connection', 'close')
  if (!(error instanceof TowlineError)) {
    const message = 'Towline failed on this request; the log has the details'
    return sendJson(response, 500, { error: { code: 'TL_BUG', message } })
  }
  const { code, message, hint } = error
  sendJson(response, codes[code].http, { error: hint === undefined ? { code, message } : { code, message, hint } })
}

/** The failure on this side that an answer of that form stands for; `call` names what was asked, for other answers. */
export function readControlError({ status, body }: HttpAnswer, call: string): Error {
  const { code, message, hint } = errorFields(body)
  if (message === undefined) return new Error(`${call} answered ${status}: ${JSON.stringify(body)?.slice(0, 200)}`)
  if (code === undefined || !isErrorCode(code)) return new Error(`${call} answered ${status}: ${message}`)
  const detail = message.startsWith(`${codes[code].say}: `) ? message.slice(codes[code].say.length + 2) : message
  return new TowlineError(code, detail, hint === undefined ? {} : { hint })
}

function errorFields(body: unknown): Record<'code' | 'message' | 'hint', string | undefined> {
  const error = isRecord(body) && isRecord(body['error']) ? body['error'] : {}
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  return { code: text(error['code']), message: text(error['message']), hint: text(error['hint']) }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(codes, code)
}
