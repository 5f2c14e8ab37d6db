import type { SourceRange } from './diagnostic.ts'

/** A text with its file name, able to say where an offset lies. */
export interface SourceText {
  readonly file: string
  readonly text: string
  /** Range from `start` to `end` (UTF-16 offsets, end exclusive; clamped to the text). */
  range(start: number, end?: number): SourceRange
}

export function createSourceText(file: string, text: string): SourceText {
  const lineStarts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1)

  const place = (offset: number): [line: number, column: number] => {
    const clamped = Math.max(0, Math.min(offset, text.length))
    let low = 0
    let high = lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((lineStarts[middle] ?? 0) <= clamped) low = middle
      else high = middle - 1
    }
    return [low + 1, clamped - (lineStarts[low] ?? 0) + 1]
  }

  return {
    file,
    text,
    range(start, end = start) {
      const [line, column] = place(start)
      const [endLine, endColumn] = place(Math.max(start, end))
      return { file, line, column, endLine, endColumn }
    },
  }
}
