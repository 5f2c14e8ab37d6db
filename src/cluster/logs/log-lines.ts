/** One line of a container, with the time at which its node read it. */
export interface PodLine {
  readonly pod: string
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** The same as the node wrote it, to the nanosecond: where to go on from. */
  readonly time: string
  readonly text: string
}

/** `2026-11-26T06:04:48.123456789Z the line`, as an API server writes it with `timestamps=true`; what has no time is of the line before. */
export async function* readLogLines(pod: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<PodLine> {
  const decoder = new TextDecoder()
  let rest = ''
  let last: PodLine | undefined
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield (last = parseLine(pod, line, last))
  }
  if (rest !== '') yield parseLine(pod, rest, last)
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
