import { TowlineError } from '../../base/errors.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { type Progress, openProgress } from '../term/progress.ts'

export interface LongWork {
  /** In front of what is being waited for. */
  readonly label: string
  readonly first: string
  /** What is left behind when it is stopped now. */
  stopped(): string
}

/** Runs long work with a line of progress. Ctrl-C aborts its signal and is told as TL_CANCELLED, whatever the work then throws. */
export async function runInterruptible<Result>(
  { terminal }: CliContext,
  { label, first, stopped }: LongWork,
  work: (signal: AbortSignal, progress: Progress) => Promise<Result>,
): Promise<Result> {
  const interrupt = openInterrupt(terminal, 'stopping')
  const progress = openProgress(terminal, label, first)
  try {
    const result = await work(interrupt.signal, progress)
    interrupt.signal.throwIfAborted()
    return result
  } catch (cause) {
    if (!interrupt.signal.aborted) throw cause
    throw new TowlineError('TL_CANCELLED', stopped(), {
      cause,
      hint: 'the same command goes on where this one stopped',
    })
  } finally {
    progress.end()
    interrupt.close()
  }
}
