import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan'

/** Where a command writes: answers to `out`, everything about the way there to `err`. Colours and live lines only on terminals. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** For answers. */
  style(style: Style, text: string): string
  /** For errors and progress. */
  styleErr(style: Style, text: string): string
  /** Whether `err` may rewrite its line. */
  readonly live: boolean
  readonly columns: number
}

export function createTerminal(streams: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>): Terminal {
  const { stdout, stderr, env } = streams
  const styler = (stream: NodeJS.WriteStream) => {
    const wanted = env['NO_COLOR']
      ? false
      : env['FORCE_COLOR']
        ? env['FORCE_COLOR'] !== '0'
        : stream.isTTY && env['TERM'] !== 'dumb'
    return (style: Style, text: string): string => (wanted ? styleText(style, text, { validateStream: false }) : text)
  }
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    style: styler(stdout),
    styleErr: styler(stderr),
    live: stderr.isTTY && env['TERM'] !== 'dumb',
    columns: stderr.columns ?? 80,
  }
}
