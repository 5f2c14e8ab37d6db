import stringWidth from 'string-width'

const labelWidth = 13
const breaks = /\s*[\n\v\f\r\u0085\u2028\u2029]\s*/g

/** `  gateway      http://127.0.0.1:8080`: one line for one thing; what has several goes on under itself. */
export function renderRow(label: string, text: string): string {
  return `  ${pad(label, labelWidth)}${text.replaceAll(breaks, `\n${' '.repeat(labelWidth + 4)}`)}`
}

/** Columns as wide as their widest cell; wide characters count twice. No lines, so that it can be cut and sorted. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows].map((row) => row.map(unbreak))
  const widths = header.map((_, column) => Math.max(...all.map((row) => stringWidth(row[column] ?? ''))))
  return all
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Text from elsewhere does not begin a line of its own. */
function unbreak(text: string): string {
  return text.replaceAll(breaks, ' ')
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)))
}
