import stringWidth from 'string-width'

const labelWidth = 13

/** `  gateway      http://127.0.0.1:8080`: one line for one thing. */
export function renderRow(label: string, text: string): string {
  return `  ${pad(label, labelWidth)}${text}`
}

/** Columns as wide as their widest cell; wide characters count twice. No lines, so that it can be cut and sorted. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
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

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)))
}
