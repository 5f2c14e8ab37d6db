import { constants, readFileSync } from 'node:fs'
import { link, open, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { type Clock, systemClock } from '../../base/clock.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { newShortId } from '../../base/id.ts'
import { identifyProcess, isRunning } from '../../base/process/process-identity.ts'

/** Long enough for a collection of garbage in a large folder. */
const waitMs = 60_000
const lookMs = 20

/**
 * Runs `work` while this process holds `file`, which says who does: one at a time, over all processes of this machine. A
 * turn whose process has ended is over. TL_FILE_UNWRITABLE names the holder after a minute of waiting.
 */
export async function inTurn<Result>(
  file: string,
  work: () => Promise<Result>,
  clock: Clock = systemClock,
): Promise<Result> {
  const ticket = await takeTurn(file, clock)
  try {
    return await work()
  } finally {
    // Another's, should somebody have deleted ours by hand.
    if (readTicket(file) === ticket) await rm(file, { force: true })
  }
}

/** Returns the ticket: the content of the file, different each time. */
async function takeTurn(file: string, clock: Clock): Promise<string> {
  const id = newShortId(12)
  const ticket = JSON.stringify({ ...identifyProcess(process.pid), host: hostname(), id })
  // Linked, not created: the file is never there without its content.
  const draft = `${file}.${id}`
  try {
    await writeFile(draft, ticket)
    const untilMs = clock.monotonicMs() + waitMs
    while (!(await linkOnce(draft, file))) {
      const holder = readTicket(file)
      if (holder !== undefined && isOver(holder)) await endTurn(file, holder)
      else if (clock.monotonicMs() < untilMs) await clock.sleep(lookMs)
      else throw stuck(file, holder)
    }
    return ticket
  } catch (cause) {
    if (cause instanceof TowlineError) throw cause
    if (hasErrno(cause, 'ENOSPC', 'EDQUOT')) throw new TowlineError('TL_DISK_FULL', `writing ${file}`, { cause })
    throw new TowlineError('TL_FILE_UNWRITABLE', `${file} (${String((cause as NodeJS.ErrnoException).code)})`, {
      cause,
    })
  } finally {
    await rm(draft, { force: true })
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
async function endTurn(file: string, holder: string): Promise<void> {
  const claim = `${file}.${(JSON.parse(holder) as { id: string }).id}.over`
  try {
    await (await open(claim, constants.O_CREAT | constants.O_EXCL)).close()
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return
    throw error
  }
  try {
    if (readTicket(file) === holder) await rm(file, { force: true })
  } finally {
    await rm(claim, { force: true })
  }
}

function isOver(ticket: string): boolean {
  try {
    const { pid, startTicks, host, id } = JSON.parse(ticket) as Record<string, unknown>
    // Of a process on another machine nothing can be known here.
    if (typeof pid !== 'number' || typeof startTicks !== 'number' || typeof id !== 'string') return false
    return host === hostname() && !isRunning({ pid, startTicks })
  } catch {
    return false
  }
}

function readTicket(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function stuck(file: string, holder: string | undefined): TowlineError {
  return new TowlineError(
    'TL_FILE_UNWRITABLE',
    `${file} has been held for ${waitMs / 1000} s by ${holder ?? 'others'}`,
    {
      hint: 'delete the file if no such process runs',
    },
  )
}
