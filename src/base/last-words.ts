/**
 * The line of a program's output that explains its end: the last that names an error, plain or as JSON of a logger, otherwise its
 * last line. Stack traces are passed over. Undefined: it said nothing.
 */
export function findLastWords(output: string): string | undefined {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^at |^Node\.js v/.test(line))
  return lines.findLast((line) => /^[A-Za-z.]*(Error|Exception)\b/.test(line) || isLoud(line)) ?? lines.at(-1)
}

function isLoud(line: string): boolean {
  const level = parseLogFields(line)?.['level']
  return level === 'error' || level === 'fatal'
}

/** A line that is one JSON object, as loggers write them; undefined: it is something else. */
export function parseLogFields(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
