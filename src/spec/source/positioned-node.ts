import type { SourceRange } from '../../base/diagnostic.ts'

/** A value as written, each part with its place: what YAML, an overlay on top of it and plain JSON all become. */
export type PositionedNode = ScalarNode | MapNode | ListNode

export interface ScalarNode {
  readonly kind: 'Scalar'
  readonly value: string | number | boolean | null
  readonly at: SourceRange
}

export interface MapNode {
  readonly kind: 'Map'
  readonly entries: ReadonlyMap<string, MapEntry>
  readonly at: SourceRange
}

export interface MapEntry {
  readonly keyAt: SourceRange
  readonly node: PositionedNode
}

export interface ListNode {
  readonly kind: 'List'
  readonly items: readonly PositionedNode[]
  readonly at: SourceRange
}

export type Path = readonly (string | number)[]

/** The plain value. `__proto__` as a key stays a key. */
export function plainValue(node: PositionedNode): unknown {
  if (node.kind === 'Scalar') return node.value
  if (node.kind === 'List') return node.items.map(plainValue)
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainValue(entry.node)]))
}

/** The place of the value at `path`, or of the nearest thing above it that exists. */
export function placeOf(root: PositionedNode, path: Path): SourceRange {
  let node = root
  let nearest = root.at
  for (const [index, step] of path.entries()) {
    const entry = stepInto(node, step)
    if (entry === undefined) return nearest
    node = entry.node
    nearest = index === path.length - 1 ? node.at : entry.keyAt
  }
  return nearest
}

/** The place of the key (of the item, in a list) at `path`. */
export function keyPlaceOf(root: PositionedNode, path: Path): SourceRange {
  const parent = path.slice(0, -1).reduce<PositionedNode | undefined>((node, step) => {
    return node === undefined ? undefined : stepInto(node, step)?.node
  }, root)
  const entry = parent === undefined ? undefined : stepInto(parent, path.at(-1) ?? '')
  return entry?.keyAt ?? placeOf(root, path)
}

function stepInto(node: PositionedNode, step: string | number): MapEntry | undefined {
  if (node.kind === 'Map') return node.entries.get(String(step))
  if (node.kind === 'Scalar' || typeof step !== 'number') return undefined
  const item = node.items[step]
  return item === undefined ? undefined : { keyAt: item.at, node: item }
}

/** `spec.env[2].name`, as messages name a field. */
export function renderPath(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  )
}
