/** Numbers with units, and words of others, as people read them. The same in tables, logs and the page. */

/** In characters. What others say is shown, but never as more than this. */
const maxShownLength = 300

/** 18553741 → `18.6 MB`. Decimal units: what disks and networks are sold in. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** 0.4 → `0.4 ms`, 19 → `19 ms`, 1100 → `1.1 s`, 72000 → `1 m 12 s`, 7260000 → `2 h 1 m`. */
export function formatMs(durationMs: number): string {
  if (durationMs < 9.95) return `${durationMs.toFixed(1)} ms`
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} m`
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`
}

/** 0.367 → `36.7 %`. */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** `sha256:7793a8c1…` → `7793a8…`. */
export function formatDigest(digest: string, digits = 6): string {
  return `${digest.replace('sha256:', '').slice(0, digits)}…`
}

/** In a text that names digests, each of them in short: `sha256:7793a8…`. */
export function shortenDigests(text: string): string {
  return text.replaceAll(/sha256:[0-9a-f]{64}/g, (digest) => `sha256:${formatDigest(digest)}`)
}

/** Text from outside as one short line without control characters, so that it cannot write over a terminal. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return plain.length > maxShownLength ? `${plain.slice(0, maxShownLength)}…` : plain
}
