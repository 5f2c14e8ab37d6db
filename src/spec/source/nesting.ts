export const maxDepth = 64
/** A parser spends about 10 µs on a token; a spec has a few hundred. */
export const maxTokens = 200_000

export type Excess = { readonly kind: 'Deep' | 'Long'; readonly offset: number }

/**
 * The first token that is too much, found from the tokens alone: the parser recurses, so a text of a million brackets
 * must never reach it. Levels made by indentation cost a line each and are counted afterwards.
 */
export function findExcess(tokens: Iterable<string>): Excess | undefined {
  let offset = 0
  let count = 0
  let brackets = 0
  let inLine = 0
  // After this mark the next token is the text of a scalar, which may look like anything.
  let scalarNext = false
  for (const token of tokens) {
    if (++count > maxTokens) return { kind: 'Long', offset }
    const isText = scalarNext
    scalarNext = token === scalarMark
    if (marks.has(token)) continue
    if (!isText) {
      if (token === '[' || token === '{') brackets++
      else if (token === ']' || token === '}') brackets--
      else if (token.includes('\n')) inLine = 0
      else if (brackets <= 0 && (token === '-' || token === '?' || token === ':')) inLine++
      if (brackets > maxDepth || inLine > maxDepth) return { kind: 'Deep', offset }
    }
    offset += token.length
  }
  return undefined
}

// The lexer's own marks, which are no part of the text: document, flow error, scalar.
const scalarMark = '\u001f'
const marks = new Set(['\u0002', '\u0018', scalarMark])
