import { formatMs } from '../../base/display.ts'
import { renderRow } from './layout.ts'
import type { Terminal } from './terminal.ts'

export interface Progress {
  /** What is being waited for now. */
  say(text: string): void
  /** Takes the live line away, for a row that comes in between; it comes back. */
  clear(): void
  /** Takes the live line away for good. */
  end(): void
}

/** Nothing in the first second; then one line that counts on a terminal, or a plain line for each new text in a pipe. */
export function openProgress(terminal: Terminal, label: string, first: string): Progress {
  const startMs = performance.now()
  let text = first
  let shown: string | undefined
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - startMs
    if (elapsedMs < 1000) return
    if (terminal.live) {
      terminal.relineErr(renderRow(label, `${text} … ${formatMs(elapsedMs)}`).slice(0, terminal.columns - 1))
      shown = text
    } else if (shown !== text) {
      shown = text
      terminal.err(renderRow(label, `${text} …`))
    }
  }, 200)
  timer.unref()
  const clear = (): void => {
    if (terminal.live && shown !== undefined) terminal.relineErr('')
  }
  return {
    say: (next) => void (text = next),
    clear,
    end() {
      clearInterval(timer)
      clear()
      if (terminal.live) shown = undefined
    },
  }
}
