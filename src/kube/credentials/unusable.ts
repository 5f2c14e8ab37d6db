import { TowlineError } from '../../base/errors.ts'

/** No `cause`: what other libraries say of a kubeconfig may quote it, and it holds secrets. */
export function unusable(detail: string, hint: string): TowlineError {
  return new TowlineError('TL_KUBECONFIG_UNUSABLE', detail, { hint })
}
