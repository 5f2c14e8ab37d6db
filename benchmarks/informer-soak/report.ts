import type { FaultCounts } from './faults.ts'
import type { Look } from './look.ts'
import type { Writer } from './writer.ts'

export interface Row {
  /** Since the start. */
  readonly minute: number
  /** Writes that the server confirmed since the last check point. */
  readonly confirmed: number
  /** Of them, those that came to nothing in a list. */
  readonly passedOver: number
  /** Until the informers knew what the server had. */
  readonly tookMs: number
  readonly look: Look
  readonly wrong: number
}

const widths = [6, 10, 6, 12, 8, 8, 9, 9, 12, 8, 7, 10, 8, 7, 6]
const heads = [
  'minute',
  'confirmed',
  'told',
  'passed over',
  'equal/s',
  'lists',
  'watches',
  'troubles',
  'missed gone',
  'sockets',
  'timers',
  'listeners',
  'heap/MB',
  'RSS/MB',
  'wrong',
]

export function printHead(): void {
  print(heads)
}

/** Lists, watches, troubles and removals that a list had to show are those of pods and of ConfigMaps since the start. */
export function printRow({ minute, confirmed, passedOver, tookMs, look, wrong }: Row): void {
  const { sockets, timers, listeners, heapBytes, residentBytes } = look.process
  const both = (name: 'lists' | 'watches' | 'troubles' | 'missedRemovals'): string =>
    look.kinds.map(({ stats }) => stats[name]).join('+')
  const told = look.kinds.reduce((sum, kind) => sum + kind.told.length, 0)
  print([
    minute.toFixed(1),
    confirmed,
    told,
    passedOver,
    (tookMs / 1000).toFixed(1),
    both('lists'),
    both('watches'),
    both('troubles'),
    both('missedRemovals'),
    sockets,
    timers,
    listeners,
    (heapBytes / 1e6).toFixed(1),
    (residentBytes / 1e6).toFixed(0),
    wrong,
  ])
}

export interface End {
  readonly writes: Writer['counts']
  readonly faults: FaultCounts
  readonly wrong: readonly string[]
}

const mostShown = 30

export function printEnd({ writes, faults, wrong }: End): void {
  const name = (counts: object): string =>
    Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ')
  console.log(`writes: ${name(writes)}`)
  console.log(`faults: ${name(faults)}`)
  if (wrong.length === 0) console.log('nothing was missed, repeated or held')
  for (const what of wrong.slice(0, mostShown)) console.log(`WRONG ${what}`)
  if (wrong.length > mostShown) console.log(`and ${wrong.length - mostShown} more`)
}

function print(cells: readonly (string | number)[]): void {
  console.log(cells.map((cell, index) => String(cell).padStart(widths[index] ?? 10)).join(''))
}
