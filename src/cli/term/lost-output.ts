import { hasErrno } from '../../base/errors.ts'
import { explainWrite } from '../../base/file/write-failure.ts'

/** They only tell something: when nobody reads any more they have done what they can. All others do what they were asked for, told or not. */
const tellers: ReadonlySet<string | undefined> = new Set([
  undefined,
  'bench',
  'check',
  'completion',
  'events',
  'gpu',
  'history',
  'infer',
  'inspect',
  'logs',
  'plan',
  'render',
  'status',
  'top',
  'why',
])

/**
 * What becomes of a command line whose output cannot be written: a reader that went away (`towline logs | head`) is no failure, a full
 * disk is one. Returns whether there was one, to be asked at the end.
 */
export function watchOutput(
  { stdout, stderr, exit }: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'exit'>,
  args: readonly string[],
  say: (failure: unknown) => void,
): () => boolean {
  const command = args.find((arg) => !arg.startsWith('-'))
  const isTeller = tellers.has(command) || args.includes('--help') || args.includes('-h')
  let hasFailed = false
  let isSaid = false
  stdout.on('error', (error) => {
    hasFailed ||= !hasErrno(error, 'EPIPE', 'ERR_STREAM_DESTROYED')
    if (hasFailed && !isSaid) {
      isSaid = true
      say(explainWrite(error, 'the output'))
    }
    if (isTeller) exit(hasFailed ? 1 : 0)
  })
  // Nobody is left to be told.
  stderr.on('error', () => {})
  return () => hasFailed
}
