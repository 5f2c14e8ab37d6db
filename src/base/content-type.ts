const photoEndings: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
}

/** A photo by its first bytes, otherwise a request as JSON. */
export function detectContentType(bytes: Uint8Array): string {
  const magic = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (magic.startsWith('\u00ff\u00d8\u00ff')) return 'image/jpeg'
  if (magic.startsWith('\u0089PNG')) return 'image/png'
  if (magic.startsWith('RIFF') && magic.slice(8) === 'WEBP') return 'image/webp'
  return 'application/json'
}

/** What a file is called, whatever it holds: `cat.jpg` → `image/jpeg`; undefined when it is not named like a photo. */
export function photoTypeOfName(file: string): string | undefined {
  return photoEndings[/\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase() ?? '']
}
