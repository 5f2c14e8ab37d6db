import { formatMs } from '../../base/display.ts'
import type { CheckResult } from '../../bench/checks.ts'
import type { Terminal } from '../term/terminal.ts'

/** `  ✓ coffee.jpg    espresso 95.7 %   12 ms`, in columns with the other checks of the run. */
export function renderCheck(
  { name, passed, detail, figures }: CheckResult,
  { nameWidth, style }: { nameWidth: number; style: Terminal['style'] },
): string {
  const mark = passed ? style('green', '✓') : style('red', '✗')
  const { tookMs } = figures
  return `  ${mark} ${name.padEnd(nameWidth)}  ${detail}${tookMs === undefined ? '' : `   ${formatMs(tookMs)}`}`
}
