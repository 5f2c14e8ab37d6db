import type { Document, Node, Pair, Scalar } from 'yaml'
import type { Diagnostic } from '../../base/diagnostic.ts'
import { createSourceText, type SourceText } from '../../base/source-text.ts'
import type { SpecCode } from '../codes.ts'
import { explainAmbiguity } from './ambiguous-scalar.ts'
import type { MapEntry, PositionedNode } from './positioned-node.ts'
import { type Excess, findExcess, maxDepth, maxTokens } from './nesting.ts'

export const maxSourceBytes = 1024 * 1024
/** Far above any spec, far below what an alias bomb needs. */
const maxNodes = 50_000
/** Of garbage nobody reads more. */
const maxSyntaxErrors = 20

export interface ParsedSource {
  /** Absent when there is nothing to go on with. */
  readonly root?: PositionedNode
  readonly diagnostics: readonly Diagnostic[]
}

/** Parses one YAML 1.2 document and finds all that is wrong with its text. Never throws, whatever the bytes are. */
export async function parseYamlSource(file: string, bytes: Uint8Array): Promise<ParsedSource> {
  const start = createSourceText(file, '').range(0)
  if (bytes.length > maxSourceBytes) {
    const message = `the file has ${bytes.length} bytes; a spec has at most ${maxSourceBytes} (1 MiB)`
    return { diagnostics: [{ code: 'TL_SPEC_TOO_LARGE', severity: 'error', message, at: start }] }
  }
  let text: string
  try {
    // A byte order mark is dropped here, so columns are those an editor shows.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const message = 'the file is not UTF-8 text; save it as UTF-8'
    return { diagnostics: [{ code: 'TL_SPEC_ENCODING', severity: 'error', message, at: start }] }
  }
  const source = createSourceText(file, text)
  const yaml = await import('yaml')
  const excess = findExcess(new yaml.Lexer().lex(text))
  if (excess !== undefined) return { diagnostics: [explainExcess(source, excess)] }
  const documents = yaml.parseAllDocuments(text, {
    // Its own check of duplicate keys is quadratic; `convertNode` has one.
    uniqueKeys: false,
    prettyErrors: false,
    stringKeys: false,
    merge: false,
    version: '1.2',
    logLevel: 'silent',
  })
  return readDocuments(yaml, source, Array.isArray(documents) ? documents : [])
}

function readDocuments(yaml: typeof import('yaml'), source: SourceText, documents: readonly Document[]): ParsedSource {
  const diagnostics: Diagnostic[] = []
  const report: Report = (code, severity, message, [from, to], hint) => {
    diagnostics.push({ code, severity, message, at: source.range(from, to), ...(hint === undefined ? {} : { hint }) })
  }
  const first = documents[0]
  if (first === undefined || (first.contents === null && first.errors.length === 0)) {
    report('TL_SPEC_EMPTY', 'error', 'the file holds no document', [0, 0])
    return { diagnostics }
  }
  for (const document of documents.slice(0, 2)) {
    for (const { code, message, pos } of document.errors.slice(0, maxSyntaxErrors)) {
      if (code === 'TAB_AS_INDENT' || /\btab/i.test(message))
        report('TL_SPEC_TAB', 'error', 'a tab is used as indentation; write spaces', pos)
      else report('TL_SPEC_SYNTAX', 'error', lowerFirst(message), pos)
    }
    for (const { code, message, pos } of document.warnings.slice(0, maxSyntaxErrors))
      if (code === 'TAG_RESOLVE_FAILED') report('TL_SPEC_TAG', 'error', `${lowerFirst(message)}; remove the tag`, pos)
  }
  // `%YAML 1.1` would make `yes` true and `017` fifteen.
  if (first.directives?.yaml.explicit === true && first.directives.yaml.version !== '1.2') {
    const message = `the document asks for YAML ${first.directives.yaml.version}; write it in YAML 1.2 and remove the line`
    report('TL_SPEC_YAML_VERSION', 'error', message, [0, 0])
    return { diagnostics }
  }
  const second = documents[1]
  if (second !== undefined) {
    const place = second.contents?.range?.[0] ?? second.range?.[0] ?? 0
    const message = `the file holds ${documents.length} documents; a service has one file of its own`
    report('TL_SPEC_SEVERAL_DOCUMENTS', 'error', message, [place, place])
  }
  // Half a tree after a syntax error would only give findings that are not true.
  if (first.errors.length > 0 || first.contents === null) return { diagnostics }
  const root = convertTree(yaml, source, first, report)
  return root === undefined ? { diagnostics } : { root, diagnostics }
}

type Report = (
  code: SpecCode,
  severity: Diagnostic['severity'],
  message: string,
  offsets: readonly [number, number],
  hint?: string,
) => void

function convertTree(
  yaml: typeof import('yaml'),
  source: SourceText,
  document: Document,
  report: Report,
): PositionedNode | undefined {
  let nodes = 0
  let stopped = false
  let aliases = 0
  const open = new Set<Node>()
  const anchors = new Map<string, Node>()

  const convert = (node: Node | null, depth: number, fallback: number): PositionedNode => {
    const [from, to] = [node?.range?.[0] ?? fallback, node?.range?.[1] ?? fallback]
    const at = source.range(from, to)
    const nothing: PositionedNode = { kind: 'Scalar', value: null, at }
    if (node === null || stopped) return nothing
    if (depth > maxDepth || ++nodes > maxNodes) {
      stopped = true
      if (depth > maxDepth) report('TL_SPEC_TOO_DEEP', 'error', deepMessage, [from, to])
      else if (aliases > 0)
        report('TL_SPEC_ALIASES', 'error', `aliases make the document grow beyond ${maxNodes} values here`, [from, to])
      else report('TL_SPEC_TOO_LARGE', 'error', `the document holds more than ${maxNodes} values`, [from, to])
      return nothing
    }
    if (yaml.isAlias(node)) {
      const target = anchors.get(node.source)
      if (target === undefined || open.has(target)) {
        stopped = true
        report('TL_SPEC_ALIASES', 'error', `\`*${node.source}\` refers to ${target ? 'itself' : 'no anchor above'}`, [
          from,
          to,
        ])
        return nothing
      }
      aliases++
      return placedAt(convert(target, depth, fallback), at)
    }
    if ('anchor' in node && node.anchor !== undefined) anchors.set(node.anchor, node)
    if (yaml.isScalar(node)) return convertScalar(node, at, [from, to])
    open.add(node)
    try {
      if (yaml.isSeq(node))
        return { kind: 'List', items: node.items.map((item) => convert(item as Node | null, depth + 1, from)), at }
      return yaml.isMap(node) ? { kind: 'Map', entries: convertPairs(node.items, depth, from), at } : nothing
    } finally {
      open.delete(node)
    }
  }

  const convertPairs = (pairs: readonly Pair[], depth: number, from: number): Map<string, MapEntry> => {
    const entries = new Map<string, MapEntry>()
    for (const pair of pairs) {
      const key = pair.key
      const keyOffsets: [number, number] = yaml.isNode(key)
        ? [key.range?.[0] ?? from, key.range?.[1] ?? from]
        : [from, from]
      if (!yaml.isScalar(key) || key.value === null) {
        report('TL_SPEC_KEY', 'error', 'a key must be plain text', keyOffsets)
        continue
      }
      if (key.anchor !== undefined) anchors.set(key.anchor, key)
      warnOfAmbiguity(key, keyOffsets)
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '')
      // The parser gives nodes or null here: nothing else was put in by hand.
      const node = convert(pair.value as Node | null, depth + 1, keyOffsets[1])
      const earlier = entries.get(name)
      if (earlier === undefined) entries.set(name, { keyAt: source.range(...keyOffsets), node })
      else
        report(
          'TL_SPEC_DUPLICATE_KEY',
          'error',
          `\`${name}\` is already given in line ${earlier.keyAt.line}`,
          keyOffsets,
        )
    }
    return entries
  }

  const convertScalar = (node: Scalar, at: PositionedNode['at'], offsets: [number, number]): PositionedNode => {
    warnOfAmbiguity(node, offsets)
    const { value } = node
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return { kind: 'Scalar', value, at }
    report('TL_SPEC_TAG', 'error', 'this value needs a YAML tag to be read; write plain text or a number', offsets)
    return { kind: 'Scalar', value: null, at }
  }

  const warnOfAmbiguity = (node: Scalar, offsets: readonly [number, number]): void => {
    if (node.type !== 'PLAIN' || node.source === undefined || node.tag !== undefined) return
    const ambiguity = explainAmbiguity(node.source)
    if (ambiguity !== undefined) report('TL_SPEC_AMBIGUOUS', 'warning', ambiguity, offsets)
  }

  const root = convert(document.contents, 0, 0)
  return stopped ? undefined : root
}

/** An alias stands where it is written; what is inside the anchor keeps its own place. */
function placedAt(node: PositionedNode, at: PositionedNode['at']): PositionedNode {
  return { ...node, at }
}

const deepMessage = `values are nested more than ${maxDepth} levels deep`

function explainExcess(source: SourceText, { kind, offset }: Excess): Diagnostic {
  const at = source.range(offset, offset + 1)
  if (kind === 'Deep') return { code: 'TL_SPEC_TOO_DEEP', severity: 'error', message: deepMessage, at }
  const message = `the text has more than ${maxTokens} words and signs; that is no spec`
  return { code: 'TL_SPEC_TOO_LARGE', severity: 'error', message, at }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
