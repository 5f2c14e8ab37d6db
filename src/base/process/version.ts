import { readFileSync } from 'node:fs'

/** The version of this very code: `package.json` lies three folders above, in the sources and in the built package alike. */
export function readVersion(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}
