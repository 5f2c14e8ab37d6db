import { TowlineError } from '../base/errors.ts'

/** What may not be read is left out where something can be said without it. Every other failure is thrown. */
export async function unlessForbidden<T, U>(work: Promise<T>, otherwise: (failure: TowlineError) => U): Promise<T | U> {
  try {
    return await work
  } catch (error) {
    if (error instanceof TowlineError && error.code === 'TL_CLUSTER_FORBIDDEN') return otherwise(error)
    throw error
  }
}
