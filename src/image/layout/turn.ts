import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { type FileHandle, link, open, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { hashOf } from '../../base/canonical.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { explainWrite } from '../../base/file/write-failure.ts'
import { newShortId } from '../../base/id.ts'
import { identifyProcess, isRunning } from '../../base/process/process-identity.ts'

/** Long enough for a collection of garbage in a large folder. */
const waitMs = 60_000
const lookMs = 20
/** How often a holder sets the time of its file, which says to others that it is there. */
const renewMs = 3_000
/** Several renewals: a holder of whose process nothing can be known has ended when it missed them all. */
const staleMs = 15_000

/** What lies in the file, and when its holder last said that it is there. */
interface Holder {
  /** Different each time. */
  readonly ticket: string
  readonly renewedNs: bigint
}

interface Turn {
  readonly ticket: string
  /** Of the very file of this turn, whoever has one of that name meanwhile. */
  readonly handle: FileHandle
}

/**
 * Runs `work` while this process holds `file`, which says who does: one at a time, over all processes of this machine. A
 * turn whose process has ended is over; one of another machine or container is over when it was not renewed for 15 s.
 * `check`, called before something is written for good, throws TL_FILE_UNWRITABLE when others ended this turn, as they do
 * after a long standstill. TL_FILE_UNWRITABLE names the holder after a minute of waiting.
 */
export async function inTurn<Result>(
  file: string,
  work: (check: () => void) => Promise<Result>,
  clock: Clock = systemClock,
): Promise<Result> {
  const { ticket, handle } = await takeTurn(file, clock)
  const ended = new AbortController()
  const renewing = renew(handle, clock, ended.signal)
  const isOurs = (): boolean => lookAt(file)?.ticket === ticket
  try {
    return await work(() => {
      if (!isOurs()) throw lost(file)
    })
  } finally {
    ended.abort()
    await renewing
    await handle.close()
    if (isOurs()) await rm(file, { force: true })
  }
}

async function takeTurn(file: string, clock: Clock): Promise<Turn> {
  const id = newShortId(12)
  const ticket = JSON.stringify({ ...identifyProcess(process.pid), host: hostname(), id })
  // Linked, not created: the file is never there without its content.
  const draft = `${file}.${id}`
  let handle: FileHandle | undefined
  try {
    handle = await open(draft, 'wx')
    await handle.writeFile(ticket)
    await waitForTurn(file, draft, clock)
    return { ticket, handle }
  } catch (cause) {
    await handle?.close()
    throw explainWrite(cause, file)
  } finally {
    await rm(draft, { force: true })
  }
}

async function waitForTurn(file: string, draft: string, clock: Clock): Promise<void> {
  const startMs = clock.monotonicMs()
  let seen: Holder | undefined
  let sinceMs = startMs
  while (!(await linkOnce(draft, file))) {
    const holder = lookAt(file)
    const nowMs = clock.monotonicMs()
    if (!isSame(holder, seen)) sinceMs = nowMs
    seen = holder
    if (holder !== undefined && isOver(holder.ticket, nowMs - sinceMs)) await endTurn(file, holder)
    else if (nowMs - startMs < waitMs) await clock.sleep(lookMs)
    else throw stuck(file, holder)
  }
}

/** Until the signal aborts. Where it fails, the turn lapses, and `check` says so. */
async function renew(handle: FileHandle, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(renewMs, signal)
      signal.throwIfAborted()
      const nowS = clock.nowMs() / 1000
      await handle.utimes(nowS, nowS)
    }
  } catch {
    // The end of the turn, or a disk that cannot be written to.
  }
}

async function linkOnce(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false
    throw error
  }
}

/**
 * Two that wait may both see that the holder has ended; the second must not remove the first one's new turn. So whoever
 * ends a turn holds a file with the name of that very turn, and looks again.
 */
async function endTurn(file: string, holder: Holder): Promise<void> {
  const claim = `${file}.${hashOf(holder.ticket).slice(0, 12)}.over`
  try {
    await (await open(claim, constants.O_CREAT | constants.O_EXCL)).close()
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return
    throw error
  }
  try {
    if (isSame(lookAt(file), holder)) await rm(file, { force: true })
  } finally {
    await rm(claim, { force: true })
  }
}

/** `quietMs`: since its holder last renewed it. */
function isOver(ticket: string, quietMs: number): boolean {
  const { pid, startTicks, host } = parseTicket(ticket)
  // Of a process on another machine nothing can be known here. One of this machine that stands still goes on some time.
  const isHere = host === hostname() && typeof pid === 'number' && typeof startTicks === 'number'
  return isHere ? !isRunning({ pid, startTicks }) : quietMs >= staleMs
}

function parseTicket(ticket: string): { readonly [key: string]: unknown } {
  try {
    const value: unknown = JSON.parse(ticket)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Opened anew each time: a file system of a network answers then with what is there now. */
function lookAt(file: string): Holder | undefined {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    return { ticket: readFileSync(handle, 'utf8'), renewedNs: fstatSync(handle, { bigint: true }).mtimeNs }
  } finally {
    closeSync(handle)
  }
}

function isSame(a: Holder | undefined, b: Holder | undefined): boolean {
  return a?.ticket === b?.ticket && a?.renewedNs === b?.renewedNs
}

function stuck(file: string, holder: Holder | undefined): TowlineError {
  const name = holder?.ticket ?? 'others'
  return new TowlineError('TL_FILE_UNWRITABLE', `${file} has been held for ${waitMs / 1000} s by ${name}`, {
    hint: 'delete the file if no such process runs',
  })
}

function lost(file: string): TowlineError {
  return new TowlineError('TL_FILE_UNWRITABLE', `${file} was taken over by another process`, {
    hint: 'this one stood still for long, and nothing was changed: try again',
  })
}
