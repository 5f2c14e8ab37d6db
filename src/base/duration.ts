/** Durations as the spec writes them: `1h30m`, `10s`, `250ms`. Kept as whole milliseconds. */

const whole = /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/
const part = /([0-9]{1,5})(ms|h|m|s)/g
const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

/** Milliseconds, or undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined
  let totalMs = 0
  for (const [, count = '0', unit = 's'] of text.matchAll(part))
    totalMs += Number(count) * unitMs[unit as keyof typeof unitMs]
  return totalMs
}

/** The shortest text that parses back to the same milliseconds: 90000 → `1m30s`. */
export function renderDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  let restMs = durationMs
  let text = ''
  for (const unit of ['h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(restMs / unitMs[unit])
    if (count > 0) text += `${count}${unit}`
    restMs -= count * unitMs[unit]
  }
  return text
}
