import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TowlineError, hasErrno } from '../../base/errors.ts'

export interface LogLine {
  /** Milliseconds since 1970; 0 for a line without a readable time. */
  readonly atMs: number
  readonly fields: Readonly<Record<string, unknown>>
  readonly raw: string
}

export interface LogFilter {
  readonly service?: string | undefined
  readonly replica?: string | undefined
  readonly sinceMs?: number | undefined
}

/** The log files of a project by name, each with its older generations first. */
export function listLogFiles(projectDir: string): Map<string, string[]> {
  const folder = join(projectDir, '.towline', 'logs')
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT')) throw cause
    throw new TowlineError('TL_ENGINE_MISSING', `${folder} does not exist`, {
      hint: '`towline up FILE` starts a service',
      cause,
    })
  }
  const files = names.flatMap((name) => {
    const match = /^(.+\.log)(?:\.(\d+))?$/.exec(name)
    return match === null ? [] : [{ base: match[1] ?? '', age: Number(match[2] ?? 0), path: join(folder, name) }]
  })
  const byBase = Map.groupBy(files, ({ base }) => base)
  return new Map(
    [...byBase].map(([base, generations]) => [
      base,
      generations.toSorted((a, b) => b.age - a.age).map(({ path }) => path),
    ]),
  )
}

export function parseLogLines(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((raw) => raw.trim() !== '')
    .map(parseLogLine)
}

function parseLogLine(raw: string): LogLine {
  try {
    const fields: unknown = JSON.parse(raw)
    if (typeof fields === 'object' && fields !== null) {
      const record = fields as Record<string, unknown> // an object, checked
      const atMs = Date.parse(String(record['time']))
      return { atMs: Number.isNaN(atMs) ? 0 : atMs, fields: record, raw }
    }
  } catch {
    // A line cut off by a crash is still worth showing.
  }
  return { atMs: 0, fields: { msg: raw }, raw }
}

export function keepLine({ atMs, fields }: LogLine, { service, replica, sinceMs }: LogFilter): boolean {
  return (
    (service === undefined || fields['service'] === service) &&
    (replica === undefined || fields['replica'] === replica) &&
    (sinceMs === undefined || atMs >= sinceMs)
  )
}

/** All lines of all files in order of time; lines of one file keep their order. */
export function readLogLines(files: Map<string, string[]>, filter: LogFilter): LogLine[] {
  const lines = [...files.values()].flatMap((generations) =>
    generations.flatMap((path) => parseLogLines(readText(path))),
  )
  return lines.filter((line) => keepLine(line, filter)).toSorted((a, b) => a.atMs - b.atMs)
}

const shownApart = new Set(['level', 'time', 'msg', 'service', 'replica', 'revision', 'traceId', 'pid'])

/** `12:04:09.120 info  image-classifier-1-bx7kq  request  status=200 durationMs=12.1` */
export function renderLogLine({ atMs, fields, raw }: LogLine): string {
  if (atMs === 0) return raw
  const text = (key: string): string => (typeof fields[key] === 'string' ? fields[key] : '')
  const source = ['replica', 'process', 'service'].map(text).find((word) => word !== '') ?? ''
  const rest = Object.entries(fields)
    .filter(([key]) => !shownApart.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)}`)
  const time = new Date(atMs).toISOString().slice(11, 23)
  return [time, text('level').padEnd(5), source, fields['msg'], ...rest]
    .filter((part) => part !== '' && part !== undefined)
    .join('  ')
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return ''
    throw error
  }
}
