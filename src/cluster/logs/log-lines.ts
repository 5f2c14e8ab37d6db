/** One line of a container, with the time at which its node read it. */
export interface PodLine {
  readonly pod: string
  /** Milliseconds since 1970; 0 where there is no time. */
  readonly atMs: number
  /** The same as the node wrote it, to the nanosecond: where to go on from. Empty: there is none. */
  readonly time: string
  readonly text: string
}

/** How far the lines of a pod have been told: the last moment, and all that was said in it. */
export interface Told {
  readonly time: string
  readonly atMs: number
  readonly texts: readonly string[]
}

export function addTold(told: Told | undefined, line: PodLine): Told {
  const before = told !== undefined && compareTimes(line, told) === 0 ? told.texts : []
  return { time: line.time, atMs: line.atMs, texts: [...before, line.text] }
}

/**
 * Answers of each line of a stream that begins again whether it was told: an API server counts from whole seconds, so that some come
 * once more. From the first new line on the clock of a node may be set back without a line being lost.
 */
export function createToldFilter(told: Told | undefined): (line: PodLine) => boolean {
  if (told === undefined) return () => false
  const texts = [...told.texts]
  let isNew = false
  return (line) => {
    const order = compareTimes(line, told)
    // The same text twice in one moment is two lines.
    const at = order === 0 ? texts.indexOf(line.text) : -1
    if (at !== -1) texts.splice(at, 1)
    const isTold = at !== -1 || (order < 0 && !isNew)
    if (!isTold) isNew = true
    return isTold
  }
}

type Moment = Pick<Told, 'atMs' | 'time'>

function compareTimes(a: Moment, b: Moment): number {
  return a.atMs - b.atMs || nanosOf(a.time) - nanosOf(b.time)
}

/** Of a second. */
function nanosOf(time: string): number {
  return Number((/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0'))
}

/** In characters; what is longer is no line that anybody reads. */
const maxLineLength = 64 << 10

/**
 * `2026-11-26T06:04:48.123456789Z the line`, as an API server writes it with `timestamps=true`; what has no time, such as the word of a
 * node that its log is gone, is of the line before: of `told` where it is the first.
 */
export async function* readLogLines(
  pod: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  told?: Told,
): AsyncGenerator<PodLine> {
  const decoder = new TextDecoder()
  let rest = ''
  /** Characters of `rest` that are not kept. */
  let dropped = 0
  let last: Moment | undefined = told
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      yield (last = parseLine(pod, shorten(line, dropped), last))
      dropped = 0
    }
    dropped += Math.max(0, rest.length - maxLineLength)
    rest = rest.slice(0, maxLineLength)
  }
  if (rest !== '') yield parseLine(pod, shorten(rest, dropped), last)
}

function shorten(line: string, dropped: number): string {
  const more = dropped + Math.max(0, line.length - maxLineLength)
  return more === 0 ? line : `${line.slice(0, maxLineLength)}… (${more} characters more)`
}

function parseLine(pod: string, line: string, last: Moment | undefined): PodLine {
  const [, time, text] = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?(.*)$/s.exec(line) ?? []
  const atMs = Date.parse(time ?? '')
  if (time === undefined || text === undefined || Number.isNaN(atMs))
    return { pod, atMs: last?.atMs ?? 0, time: last?.time ?? '', text: line }
  return { pod, atMs, time, text }
}

/** Lines of several pods in the order of their times; those of one pod keep their own. Holds one line of each. */
export async function* mergeLines(sources: readonly AsyncGenerator<PodLine>[]): AsyncGenerator<PodLine> {
  const heads: { line: PodLine; source: AsyncGenerator<PodLine> }[] = []
  try {
    for (const source of sources) await advance(heads, source)
    for (;;) {
      const first = heads.reduce<(typeof heads)[number] | undefined>(
        (least, head) => (least === undefined || head.line.atMs < least.line.atMs ? head : least),
        undefined,
      )
      if (first === undefined) return
      heads.splice(heads.indexOf(first), 1)
      yield first.line
      await advance(heads, first.source)
    }
  } finally {
    for (const source of sources) await source.return(undefined)
  }
}

async function advance(
  heads: { line: PodLine; source: AsyncGenerator<PodLine> }[],
  source: AsyncGenerator<PodLine>,
): Promise<void> {
  const next = await source.next()
  if (next.done !== true) heads.push({ line: next.value, source })
}
