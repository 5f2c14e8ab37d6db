import { type ErrorCode, TowlineError } from './errors.ts'

/** Runs `work` with a signal that fires after `timeoutMs` or when `parent` does; a missed deadline is a failure `code`. */
export async function withDeadline<T>(
  timeoutMs: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  late: { code: ErrorCode; what: string; hint?: string },
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await work(parent === undefined ? timeout : AbortSignal.any([parent, timeout]))
  } catch (cause) {
    if (!timeout.aborted || parent?.aborted === true) throw cause
    const detail = `waited ${timeoutMs} ms for ${late.what}`
    throw new TowlineError(late.code, detail, late.hint === undefined ? { cause } : { cause, hint: late.hint })
  }
}
