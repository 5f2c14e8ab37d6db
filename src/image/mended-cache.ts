import { type ErrorCode, TowlineError } from '../base/errors.ts'

/** Of things that can be made or fetched again. */
export interface MendableCache {
  /** Reads all that is kept, removes what is not what it should be, and says how many that were. */
  removeDamaged(): Promise<number>
}

/** What damage looks like to those who read it: a flipped bit may also make an archive or a document invalid. */
const signs: readonly ErrorCode[] = ['TL_BLOB_MISMATCH', 'TL_IMAGE_UNREADABLE', 'TL_FILE_UNREADABLE', 'TL_FILE_MISSING']

/**
 * Runs `work`, which reads from `cache` and makes anew what is not in there. After a failure that damage may cause, what is
 * damaged is removed and, if there was any, `work` runs once more. Nothing is checked where nothing fails.
 */
export async function retryMended<Result>(cache: MendableCache, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof TowlineError) || !signs.includes(error.code)) throw error
    if ((await cache.removeDamaged()) === 0) throw error
  }
  return await work()
}
