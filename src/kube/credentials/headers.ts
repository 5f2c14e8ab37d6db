import type { Authority } from './access.ts'
import { unusable } from './unusable.ts'

/** A token with an end of line inside would be refused far from here, as a fault of ours. `who` has it; what it is is not said. */
export function checkHeaders(authority: Authority, who: string): Authority {
  const bad = Object.entries(authority.headers).find(([, value]) => !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
  if (bad !== undefined)
    throw unusable(`${who}: its \`${bad[0]}\` has characters that no request can carry`, 'sign in again')
  return authority
}
