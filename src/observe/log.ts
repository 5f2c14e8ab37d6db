import { type Logger, pino } from 'pino'
import { openRotatedFile } from './rotated-file.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogOptions {
  /** `-`: standard output, as containers want it. */
  readonly file: string
  readonly level?: LogLevel
  /** On every line: service, replica, revision. */
  readonly fields: Readonly<Record<string, string | number>>
  /** A file grows to this size, then a new one begins. */
  readonly maxBytes?: number
  /** Old files kept beside the current one. */
  readonly keep?: number
}

export interface Log {
  readonly to: Logger
  /** Everything written is on its way to the disk. */
  close(): void
}

/** Structured JSON lines `{"level","time",…fields,"msg"}` into a file of bounded size. A full disk costs log lines, never the process. */
export function openLog({ file, level = 'info', fields, maxBytes = 8 << 20, keep = 2 }: LogOptions): Log {
  const target = file === '-' ? standardOutput : openRotatedFile(file, { maxBytes, keep })
  const to = pino(
    {
      level,
      base: { ...fields },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    target,
  )
  return { to, close: () => target.close() }
}

const standardOutput = {
  write: (line: string): void => void process.stdout.write(line),
  close: (): void => undefined,
}
