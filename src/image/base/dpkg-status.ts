/** One package that dpkg has installed. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** As it stands: `gcc-14` or `gcc-14 (14.2.0-19)`. Absent where the source is called as the package. */
  readonly source?: string
}

/**
 * The installed packages of `var/lib/dpkg/status`, or of a file of `status.d`, where nothing says that it is installed. A
 * stanza without name or version is no package.
 */
export function parseDpkgStatus(text: string): readonly InstalledPackage[] {
  return text.split(/\r?\n(?:[ \t]*\r?\n)+/).flatMap((stanza) => {
    const fields = readFields(stanza)
    const status = fields.get('status')
    if (status !== undefined && !/\sinstalled$/.test(status)) return []
    const name = fields.get('package')
    const version = fields.get('version')
    if (name === undefined || version === undefined) return []
    const source = fields.get('source')
    return [
      { name, version, architecture: fields.get('architecture') ?? 'all', ...(source === undefined ? {} : { source }) },
    ]
  })
}

/** Names without case, as Debian has it; lines that go on are of no field that is asked for. */
function readFields(stanza: string): ReadonlyMap<string, string> {
  const lines = stanza.split('\n').map((line) => /^([!-9;-~]+):[ \t]*(.*?)\s*$/.exec(line))
  return new Map(lines.flatMap((match) => (match === null ? [] : [[(match[1] ?? '').toLowerCase(), match[2] ?? '']])))
}

/** What `etc/os-release` says of itself. */
export interface OsRelease {
  /** `debian`. */
  readonly id?: string
  /** `13`. */
  readonly versionId?: string
  /** `Debian GNU/Linux 13 (trixie)`. */
  readonly prettyName?: string
}

export function parseOsRelease(text: string): OsRelease {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, key, value] = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) values.set(key, unquote(value))
  }
  const id = values.get('ID')
  const versionId = values.get('VERSION_ID')
  const prettyName = values.get('PRETTY_NAME')
  return {
    ...(id === undefined ? {} : { id }),
    ...(versionId === undefined ? {} : { versionId }),
    ...(prettyName === undefined ? {} : { prettyName }),
  }
}

/** As a shell reads it. */
function unquote(value: string): string {
  const [, quote, inner] = /^(['"])(.*)\1$/.exec(value) ?? []
  if (quote === "'" && inner !== undefined) return inner
  return (inner ?? value).replace(/\\(.)/g, '$1')
}
