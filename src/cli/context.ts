import type { CommandContext, StricliProcess } from '@stricli/core'
import type { Terminal } from './term/terminal.ts'

/** What every command gets as `this`. */
export interface CliContext extends CommandContext {
  readonly process: StricliProcess
  readonly terminal: Terminal
  readonly cwd: string
}

/** Aborts at Ctrl-C or SIGTERM; a second Ctrl-C is told that the first is at work. */
export function openInterrupt(terminal: Terminal, saying: string): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) terminal.err(`  still ${saying}; nothing is lost while it drains`)
    else controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  return {
    signal: controller.signal,
    close: () => {
      for (const signal of signals) process.off(signal, onSignal)
    },
  }
}
