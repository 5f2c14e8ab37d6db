import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan'

/**
 * Where a command writes: answers to `out`, everything about the way there to `err`. Colours and live lines only on terminals; what
 * comes from elsewhere (logs, events, names) cannot steer one.
 */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Takes the place of all that a terminal shows. */
  redraw(text: string): void
  /** Takes the place of the last line of `err`, where that is `live`; empty: takes it away. */
  relineErr(text: string): void
  /** For answers. */
  style(style: Style, text: string): string
  /** For errors and progress. */
  styleErr(style: Style, text: string): string
  /** Whether `err` may rewrite its line. */
  readonly live: boolean
  readonly columns: number
}

const clearScreen = '\u001b[H\u001b[2J'
const clearLine = '\r\u001b[K'
/** Those that `style` begins and ends with. */
const styles = /^\u001b\[(?:1|2|22|3[1-6]|39)m$/
/** All control characters but tabs and ends of lines, and what turns round the direction of text. */
const controls = /\u001b\[[\d;]*m|[^\P{Cc}\t\n]|\p{Bidi_Control}/gu
const reset = '\u001b[0m'

/** On a terminal a control character is shown as a sign instead of being obeyed; a pipe gets every byte. */
export function disarm({ isTTY }: Pick<NodeJS.WriteStream, 'isTTY'>, text: string): string {
  if (!isTTY) return text
  const harmless = text.replaceAll(controls, (found) => (styles.test(found) ? found : found.replace(/^./su, '\ufffd')))
  // What has no end of its own colours nothing that comes after it.
  return harmless.includes('\u001b') ? harmless.replace(/\n?$/, (end) => reset + end) : harmless
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
  const write = (stream: NodeJS.WriteStream, text: string, before = ''): void =>
    void stream.write(before + disarm(stream, text))
  return {
    out: (text) => write(stdout, `${text}\n`),
    err: (text) => write(stderr, `${text}\n`),
    redraw: (text) => write(stdout, `${text}\n`, clearScreen),
    relineErr: (text) => write(stderr, text, clearLine),
    style: styler(stdout),
    styleErr: styler(stderr),
    live: stderr.isTTY && env['TERM'] !== 'dumb',
    columns: stderr.columns ?? 80,
  }
}
