import { Document, Scalar, visit } from 'yaml'

/** Kubernetes reads a mixture of YAML 1.1 and 1.2, in which `on` and `0o7` both are no text, and these characters end a line. */
const startsLikeNumber = /^[-+.\d]/
const lineEnds: Readonly<Record<string, string>> = {
  '\u0085': String.raw`\N`,
  '\u2028': String.raw`\L`,
  '\u2029': String.raw`\P`,
}
const anyLineEnd = /[\u0085\u2028\u2029]/g

/** Documents of YAML, each begun by `---`, without the last line's end. The same bytes each time. */
export function writeManifests(objects: readonly unknown[]): string {
  return objects.map(writeManifest).join('').trimEnd()
}

function writeManifest(object: unknown): string {
  const document = new Document(object, { version: '1.1', aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value !== 'string') return
      if (startsLikeNumber.test(node.value) || node.value.search(anyLineEnd) >= 0) node.type = Scalar.QUOTE_DOUBLE
    },
  })
  return `---\n${document.toString({ lineWidth: 0 }).replace(anyLineEnd, (end) => lineEnds[end] ?? end)}`
}
