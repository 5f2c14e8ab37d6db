/** A package URL: the name that scanners look packages up by, across all kinds of packages. */
export interface PackageUrl {
  /** `npm`, `deb`, `oci`, `generic`. */
  readonly type: string
  /** Parts with `/` between: `@scope`, `debian`. */
  readonly namespace?: string
  readonly name: string
  readonly version?: string
  readonly qualifiers?: Readonly<Record<string, string | undefined>>
}

/** `pkg:type/namespace/name@version?key=value`. Qualifiers are sorted; those without a value are left out. */
export function formatPurl({ type, namespace, name, version, qualifiers = {} }: PackageUrl): string {
  const folder = (namespace ?? '')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => `${encode(part)}/`)
    .join('')
  const at = version === undefined || version === '' ? '' : `@${encode(version)}`
  const pairs = Object.entries(qualifiers)
    .flatMap(([key, value]) => (value === undefined || value === '' ? [] : [`${key}=${encode(value)}`]))
    .toSorted()
  return `pkg:${type}/${folder}${encode(name)}${at}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`
}

/** The scope of an npm package is its namespace, with the `@`. */
export function npmPurl(name: string, version: string): string {
  const slash = name.indexOf('/')
  return slash === -1
    ? formatPurl({ type: 'npm', name, version })
    : formatPurl({ type: 'npm', namespace: name.slice(0, slash), name: name.slice(slash + 1), version })
}

/** All but letters, digits and `-._~:`; JavaScript's own function leaves five more as they are and takes the colon. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%3A', ':')
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
