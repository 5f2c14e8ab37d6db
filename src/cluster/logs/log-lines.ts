/** One line of a container, with the time at which its node read it. */
export interface PodLine {
  readonly pod: string
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** The same as the node wrote it, to the nanosecond: where to go on from. */
  readonly time: string
  readonly text: string
}

/** How far the lines of a pod have been told: the last moment, and all that was said in it. */
export interface Told {
  readonly time: string
  readonly atMs: number
  readonly texts: readonly string[]
}

export function addTold(told: Told | undefined, { time, atMs, text }: PodLine): Told {
  return { time, atMs, texts: time === told?.time ? [...told.texts, text] : [text] }
}

/** Of a stream that begins again: an API server counts from whole seconds, and what was told of the last one comes once more. */
export function isTold(line: PodLine, told: Told): boolean {
  if (line.atMs !== told.atMs) return line.atMs < told.atMs
  const [own, last] = [nanosOf(line.time), nanosOf(told.time)]
  return own < last || (own === last && told.texts.includes(line.text))
}

/** Of a second. */
function nanosOf(time: string): number {
  return Number((/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0'))
}

/** In characters; what is longer is no line that anybody reads. */
const maxLineLength = 64 << 10

/** `2026-11-26T06:04:48.123456789Z the line`, as an API server writes it with `timestamps=true`; what has no time is of the line before. */
export async function* readLogLines(pod: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<PodLine> {
  const decoder = new TextDecoder()
  let rest = ''
  /** Characters of `rest` that are not kept. */
  let dropped = 0
  let last: PodLine | undefined
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

function parseLine(pod: string, line: string, last: PodLine | undefined): PodLine {
  const [, time, text] = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?(.*)$/s.exec(line) ?? []
  if (time === undefined || text === undefined)
    return { pod, atMs: last?.atMs ?? 0, time: last?.time ?? '', text: line }
  return { pod, atMs: Date.parse(time), time, text }
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
