import { canonicalJson } from '../../base/canonical.ts'
import type { Authority, Login } from './access.ts'

/** A question under way, and the answer that a server refused before it was asked. */
interface Asking {
  readonly answer: Promise<Authority>
  readonly refused: Authority | undefined
}

/**
 * One question at a time, whoever asks: ten requests at once must not open ten browsers. `ask` is told to renew only where the answer
 * that a server refused is still the one that it gives: a late refusal of an earlier one does not sign in once more.
 */
export function openSharedLogin(ask: (isRefused: boolean) => Promise<Authority>): Login {
  let asking: Asking | undefined
  const begin = async (refused: Authority | undefined): Promise<Authority> => {
    const present = await ask(false)
    return isSame(present, refused) ? await ask(true) : present
  }
  const login: Login = async (refused) => {
    if (asking === undefined) {
      const answer = begin(refused).finally(() => (asking = undefined))
      asking = { answer, refused }
      return await answer
    }
    const { answer, refused: same } = asking
    const common = await answer
    // Renewed for the same refusal it is what there is, also where it is the same again.
    return !isSame(common, refused) || isSame(refused, same) ? common : await login(refused)
  }
  return login
}

function isSame(one: Authority | undefined, other: Authority | undefined): boolean {
  return one !== undefined && other !== undefined && canonicalJson(one) === canonicalJson(other)
}
