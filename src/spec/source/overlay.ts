import type { Diagnostic, SourceRange } from '../../base/diagnostic.ts'
import { mergedLists, setLists } from './list-keys.ts'
import type { ListNode, MapEntry, MapNode, PositionedNode } from './positioned-node.ts'

export interface Merged {
  readonly root: PositionedNode
  readonly diagnostics: readonly Diagnostic[]
}

type Refuse = (message: string, at: SourceRange) => void
type Directive = 'merge' | 'replace' | 'delete'

/**
 * Lays `overlay` over `base` as Kustomize's strategic merge does: maps merge, `null` deletes, lists merge by the keys of
 * `list-keys.ts` (items of the overlay first) or are replaced, `$patch` says otherwise. Every part keeps its place in its own file.
 */
export function mergeOverlay(base: PositionedNode, overlay: PositionedNode): Merged {
  const diagnostics: Diagnostic[] = []
  const refuse: Refuse = (message, at) => {
    diagnostics.push({ code: 'TL_SPEC_PATCH', severity: 'error', message, at })
  }
  checkTarget(base, overlay, refuse)
  const root = mergeNodes(base, overlay, '', refuse)
  if (root === undefined) refuse('an overlay cannot delete the whole document', overlay.at)
  return { root: root ?? base, diagnostics }
}

/** Kustomize finds what to patch by these three, so an overlay without them would mean two things. */
function checkTarget(base: PositionedNode, overlay: PositionedNode, refuse: Refuse): void {
  for (const path of [['apiVersion'], ['kind'], ['metadata', 'name']]) {
    const [wanted, found] = [scalarAt(base, path), scalarAt(overlay, path)]
    if (found === undefined) refuse(`an overlay names its target; \`${path.join('.')}\` is missing`, overlay.at)
    else if (wanted !== undefined && found.value !== wanted.value)
      refuse(
        `the overlay is for ${path.join('.')} \`${String(found.value)}\`, the service has \`${String(wanted.value)}\``,
        found.at,
      )
  }
}

function scalarAt(root: PositionedNode, path: readonly string[]) {
  let node: PositionedNode | undefined = root
  for (const key of path) node = node?.kind === 'Map' ? node.entries.get(key)?.node : undefined
  return node?.kind === 'Scalar' ? node : undefined
}

function mergeNodes(
  base: PositionedNode | undefined,
  patch: PositionedNode,
  path: string,
  refuse: Refuse,
): PositionedNode | undefined {
  if (patch.kind === 'Scalar') return patch.value === null ? undefined : patch
  if (patch.kind === 'List') return mergeLists(base?.kind === 'List' ? base : undefined, patch, path, refuse)
  return mergeMaps(base?.kind === 'Map' ? base : undefined, patch, path, refuse)
}

function mergeMaps(base: MapNode | undefined, patch: MapNode, path: string, refuse: Refuse): MapNode | undefined {
  const directive = directiveOf(patch, refuse)
  if (directive === 'delete') return undefined
  const entries = new Map<string, MapEntry>(directive === 'replace' ? [] : base?.entries)
  for (const [key, { keyAt, node }] of patch.entries) {
    if (key === '$patch') continue
    if (key.startsWith('$')) {
      refuse(`\`${key}\` is not an instruction of an overlay; only \`$patch\` is`, keyAt)
      continue
    }
    const before = entries.get(key)
    const merged = mergeNodes(before?.node, node, path === '' ? key : `${path}.${key}`, refuse)
    if (merged === undefined) entries.delete(key)
    else entries.set(key, { keyAt: merged === before?.node ? before.keyAt : keyAt, node: merged })
  }
  return { kind: 'Map', entries, at: base === undefined || directive === 'replace' ? patch.at : base.at }
}

function mergeLists(base: ListNode | undefined, patch: ListNode, path: string, refuse: Refuse): ListNode {
  if (setLists.includes(path)) return mergeSets(base, patch)
  const key = mergedLists[path]
  // An atomic list is taken as it is written.
  if (key === undefined) return patch
  const replacing = patch.items.find((item) => item.kind === 'Map' && directiveOf(item, refuse) === 'replace')
  const items = patch.items.filter((item) => item !== replacing)
  if (base === undefined || replacing !== undefined)
    return { ...patch, items: items.flatMap((item) => mergeNodes(undefined, item, `${path}[]`, refuse) ?? []) }

  const named = new Map<string, PositionedNode | undefined>()
  for (const item of items) {
    const id = keyOf(item, key)
    if (id === undefined) {
      refuse(`an item of \`${path}\` is found by its \`${key}\`, which is missing`, item.at)
      continue
    }
    const before = named.get(id) ?? base.items.find((each) => keyOf(each, key) === id)
    named.set(id, mergeNodes(before, item, `${path}[]`, refuse))
  }
  const kept = base.items.filter((item) => !named.has(keyOf(item, key) ?? ''))
  return { kind: 'List', items: [...[...named.values()].filter((item) => item !== undefined), ...kept], at: base.at }
}

function mergeSets(base: ListNode | undefined, patch: ListNode): ListNode {
  if (base === undefined) return patch
  const first = new Set(patch.items.map(wordOf))
  return {
    kind: 'List',
    items: [...patch.items, ...base.items.filter((item) => !first.has(wordOf(item)))],
    at: base.at,
  }
}

function wordOf(item: PositionedNode): unknown {
  return item.kind === 'Scalar' ? item.value : item
}

function keyOf(item: PositionedNode, key: string): string | undefined {
  const node = item.kind === 'Map' ? item.entries.get(key)?.node : undefined
  return node?.kind === 'Scalar' && node.value !== null ? String(node.value) : undefined
}

function directiveOf(map: MapNode, refuse: Refuse): Directive {
  const entry = map.entries.get('$patch')
  if (entry === undefined) return 'merge'
  const word = entry.node.kind === 'Scalar' ? entry.node.value : undefined
  if (word === 'merge' || word === 'replace' || word === 'delete') return word
  refuse('`$patch` is merge, replace or delete', entry.node.at)
  return 'merge'
}
