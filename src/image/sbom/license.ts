import { spdxIds } from './spdx-ids.ts'

/** The `licenses` of a CycloneDX component: one known licence, one expression of known licences, or free text. */
export type LicenseChoice =
  | readonly [{ readonly license: { readonly id: string } }]
  | readonly [{ readonly license: { readonly name: string } }]
  | readonly [{ readonly expression: string }]

/**
 * Reads the `license` of a package.json or of a Debian package. What is neither on the SPDX list nor an expression over it,
 * such as `SEE LICENSE IN LICENSE.md`, keeps its words.
 */
export function describeLicense(text: string): LicenseChoice {
  const trimmed = text.trim()
  if (spdxIds.has(trimmed)) return [{ license: { id: trimmed } }]
  return isExpression(trimmed) ? [{ expression: trimmed }] : [{ license: { name: trimmed } }]
}

/** SPDX 2.3, annex D: `(MIT OR Apache-2.0) AND GPL-2.0-only WITH Classpath-exception-2.0`, also `DocumentRef-x:LicenseRef-y`. */
function isExpression(text: string): boolean {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? []
  let depth = 0
  let isTermNext = true
  for (const [at, token] of tokens.entries()) {
    if (token === '(' || token === ')') {
      // A parenthesis opens where a licence may stand, and closes after one.
      if ((token === '(') !== isTermNext) return false
      depth += token === '(' ? 1 : -1
      if (depth < 0) return false
    } else if (isTermNext) {
      if (!isLicense(token)) return false
      isTermNext = false
    } else if (token === 'WITH') {
      // An exception belongs to one licence, not to what is in parentheses.
      if (tokens[at - 1] === ')' || tokens[at - 2] === 'WITH') return false
      isTermNext = true
    } else {
      if (token !== 'AND' && token !== 'OR') return false
      isTermNext = true
    }
  }
  return tokens.length > 0 && depth === 0 && !isTermNext
}

function isLicense(token: string): boolean {
  return spdxIds.has(token.replace(/\+$/, '')) || /^(?:DocumentRef-[\w.-]+:)?LicenseRef-[\w.-]+$/.test(token)
}
