/** What a registry asks for before it answers: RFC 9110's challenges, those two that registries use. */
export type Challenge =
  | { readonly kind: 'Basic' }
  | {
      readonly kind: 'Bearer'
      /** URL of the token server. */
      readonly realm: string
      readonly service?: string
      /** e.g. `repository:team/model:pull,push`; several are separated by spaces. */
      readonly scopes: readonly string[]
    }

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const parameter = new RegExp(`\\s*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]*))\\s*(,|$)`, 'y')
const scheme = new RegExp(`[\\s,]*(${token})(?:\\s+|\\s*(?=,|$))`, 'y')

/** The first challenge that can be answered; Bearer before Basic. `headers` are the values of WWW-Authenticate. */
export function chooseChallenge(headers: readonly string[]): Challenge | undefined {
  const challenges = headers.flatMap(parseChallenges)
  return challenges.find(({ kind }) => kind === 'Bearer') ?? challenges[0]
}

function parseChallenges(header: string): Challenge[] {
  const found: Challenge[] = []
  let at = 0
  while (at < header.length) {
    scheme.lastIndex = at
    const name = scheme.exec(header)?.[1]
    if (name === undefined) return found
    at = scheme.lastIndex
    const parameters = new Map<string, string>()
    for (;;) {
      parameter.lastIndex = at
      const match = parameter.exec(header)
      if (match === null) break
      at = parameter.lastIndex
      parameters.set((match[1] ?? '').toLowerCase(), match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3] ?? '')
    }
    const challenge = understand(name, parameters)
    if (challenge !== undefined) found.push(challenge)
    // A scheme with one bare value, as Negotiate has, is passed over up to the next comma.
    if (parameters.size === 0) at = header.indexOf(',', at) === -1 ? header.length : header.indexOf(',', at) + 1
  }
  return found
}

function understand(name: string, parameters: ReadonlyMap<string, string>): Challenge | undefined {
  if (name.toLowerCase() === 'basic') return { kind: 'Basic' }
  const realm = parameters.get('realm')
  if (name.toLowerCase() !== 'bearer' || realm === undefined) return undefined
  const service = parameters.get('service')
  return {
    kind: 'Bearer',
    realm,
    ...(service === undefined ? {} : { service }),
    scopes: (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== ''),
  }
}
