import { canonicalJson } from '../../base/canonical.ts'
import type { Authority, Login } from './access.ts'

/**
 * One question at a time, whoever asks: ten requests at once must not open ten browsers. `ask` is told to renew only where the answer
 * that a server refused is still the one that it gives: a late refusal of an earlier one does not sign in once more.
 */
export function openSharedLogin(ask: (isRefused: boolean) => Promise<Authority>): Login {
  let asking: Promise<Authority> | undefined
  const begin = async (refused: Authority | undefined): Promise<Authority> => {
    const present = await ask(false)
    return refused !== undefined && isSame(present, refused) ? await ask(true) : present
  }
  return async (refused) => {
    const common = await asking
    if (common !== undefined && (refused === undefined || !isSame(common, refused))) return common
    asking ??= begin(refused).finally(() => (asking = undefined))
    return await asking
  }
}

function isSame(a: Authority, b: Authority): boolean {
  return canonicalJson(a) === canonicalJson(b)
}
