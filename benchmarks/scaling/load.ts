/** Requests that arrive, a second each. */
export interface LoadTrace {
  readonly name: string
  readonly requestsPerSecond: readonly number[]
}

const minuteS = 60

function trace(name: string, minutes: number, at: (minute: number) => number): LoadTrace {
  const requestsPerSecond = Array.from({ length: minutes * minuteS }, (_, second) => Math.max(0, at(second / minuteS)))
  return { name, requestsPerSecond }
}

/** Loads of the kinds a service meets; one replica does ten requests a second. */
export const syntheticLoads: readonly LoadTrace[] = [
  trace('steps', 60, (minute) => [15, 45, 80, 30, 10][Math.floor(minute / 12)] ?? 0),
  trace('ramp', 60, (minute) => (minute < 40 ? 10 + 2 * minute : 90 - 4 * (minute - 40))),
  trace('spikes', 60, (minute) => (minute % 20 >= 8 && minute % 20 < 10 ? 75 : 15)),
  // A day in four hours.
  trace('daily wave', 240, (minute) => 45 - 40 * Math.cos((2 * Math.PI * minute) / 240)),
]

/** Lines of `seconds,requestsPerSecond`, in order; a value holds until the next line, the last one for one second. */
export function parseRecordedLoad(name: string, text: string): LoadTrace {
  const requestsPerSecond: number[] = []
  let rate = 0
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [second, value] = line.split(',').map(Number)
    if (second === undefined || value === undefined || !Number.isInteger(second) || !(value >= 0))
      throw new Error(`${name}:${index + 1}: expected \`seconds,requestsPerSecond\`, found ${JSON.stringify(line)}`)
    if (second < requestsPerSecond.length || second > 604_800)
      throw new Error(`${name}:${index + 1}: second ${second} is out of order, or later than a week`)
    while (requestsPerSecond.length < second) requestsPerSecond.push(rate)
    rate = value
    requestsPerSecond.push(rate)
  }
  return { name, requestsPerSecond }
}
