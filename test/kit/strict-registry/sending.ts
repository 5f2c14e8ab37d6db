import type { ServerResponse } from 'node:http'
import { type Answer, type Exchange, errorAnswer, readBody } from './exchange.ts'
import type { Fault } from './faults.ts'

/** Whether the fault ends the connection before anything is done. */
export function isCutAtOnce({ fault, contentLength = 0 }: Exchange): boolean {
  return fault?.kind === 'CutRequest' && contentLength === 0
}

/** The answer of a fault that answers by itself, once the body is read and thrown away. Throws ConnectionCut. */
export async function answerFault(exchange: Exchange, fault: Extract<Fault, { kind: 'Status' }>): Promise<Answer> {
  for await (const chunk of readBody(exchange)) void chunk
  const { status, retryAfterSeconds } = fault
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  if (status === 429) return errorAnswer(status, 'TOOMANYREQUESTS', 'slow down', headers)
  // What stands in front of a registry says it in its own way.
  return { status, headers: { 'content-type': 'text/html', ...headers }, body: Buffer.from(`<h1>${status}</h1>`) }
}

/** Writes the answer, or as much of it as the fault lets through. */
export function sendAnswer(exchange: Exchange, response: ServerResponse, answer: Answer): void {
  const { fault, options, request } = exchange
  const { status, headers = {}, body = Buffer.alloc(0), delivered } = answer
  // An answer of 204 has no length.
  const length = status === 204 ? {} : { 'content-length': String(body.length) }
  const warning = options.warning === undefined ? {} : { warning: `299 - "${options.warning}"` }
  const keptBytes = fault?.kind === 'CutAnswer' && request.method !== 'HEAD' ? fault.afterBytes : 0
  if (fault?.kind === 'CutBeforeAnswer' || (fault?.kind === 'CutAnswer' && keptBytes >= body.length)) {
    response.destroy()
    return
  }
  for (const [name, value] of Object.entries({ ...headers, ...length, ...warning })) response.setHeader(name, value)
  response.statusCode = status
  if (fault?.kind === 'CutAnswer' && request.method !== 'HEAD') {
    response.write(body.subarray(0, keptBytes))
    response.flushHeaders()
    response.socket?.destroySoon()
    return
  }
  if (delivered !== undefined) response.once('finish', delivered)
  response.end(body)
}
