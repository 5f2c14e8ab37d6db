import { oneLine } from '../../base/display.ts'

/**
 * What a container said at its end that explains it: the message of its last error, as JSON of our own server or as a plain
 * line, otherwise its last line. Undefined: it said nothing.
 */
export function findLastWords(tail: string): string | undefined {
  const lines = tail
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^at |^Node\.js v/.test(line))
  const error = lines.findLast((line) => /^[A-Za-z.]*(Error|Exception)\b/.test(line) || isLoud(line))
  const line = error ?? lines.at(-1)
  return line === undefined ? undefined : oneLine(readMessage(line))
}

/** The port that it says it listens on. */
export function findListenPort(tail: string): number | undefined {
  const said = /\b(?:listen\w*|serving|running)\b[^\n]*?(?:port |:|on )(\d{2,5})\b/i.exec(tail)
  return said === null ? undefined : Number(said[1])
}

function isLoud(line: string): boolean {
  const level = parseObject(line)?.['level']
  return level === 'error' || level === 'fatal'
}

function readMessage(line: string): string {
  const message = parseObject(line)?.['msg']
  return typeof message === 'string' && message !== '' ? message : line
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
