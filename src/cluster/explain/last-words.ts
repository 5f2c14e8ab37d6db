import { oneLine } from '../../base/display.ts'
import { findLastWords, parseLogFields } from '../../base/last-words.ts'

/** What a container said at its end that explains it, in one line: of a logger's line its message. Undefined: it said nothing. */
export function readLastWords(tail: string): string | undefined {
  const line = findLastWords(tail)
  if (line === undefined) return undefined
  const message = parseLogFields(line)?.['msg']
  return oneLine(typeof message === 'string' && message !== '' ? message : line)
}

/** The port that it says it listens on. */
export function findListenPort(tail: string): number | undefined {
  const said = /\b(?:listen\w*|serving|running)\b[^\n]*?(?:port |:|on )(\d{2,5})\b/i.exec(tail)
  return said === null ? undefined : Number(said[1])
}
