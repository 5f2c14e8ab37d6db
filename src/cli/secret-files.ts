import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { TowlineError, hasErrno } from '../base/errors.ts'
import type { ApiKey } from '../spec/service.ts'

const shortestKey = 16

export function readEnvFile(file: string): Record<string, string> {
  try {
    const entries = Object.entries(parseEnv(readFileSync(file, 'utf8')))
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))
  } catch (cause) {
    throw new TowlineError(hasErrno(cause, 'ENOENT') ? 'TL_FILE_MISSING' : 'TL_FILE_UNREADABLE', file, { cause })
  }
}

/** One key a caller. Only their hashes go on from here: no file, log or message of Towline has a key. */
export function readApiKeys(file: string): ApiKey[] {
  const entries = Object.entries(readEnvFile(file))
  const problems = entries.flatMap(([caller, key]) => {
    if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(key)) return [`the key of ${caller} has blanks, commas or other than ASCII`]
    return key.length < shortestKey
      ? [`the key of ${caller} has ${key.length} characters, fewer than ${shortestKey}`]
      : []
  })
  const keys = entries.map(([caller, key]) => ({
    caller,
    sha256: createHash('sha256').update(key, 'latin1').digest('hex'),
  }))
  for (const [index, { caller, sha256 }] of keys.entries()) {
    const other = keys.slice(0, index).find((known) => known.sha256 === sha256)
    if (other !== undefined) problems.push(`${other.caller} and ${caller} have the same key`)
  }
  if (keys.length === 0) problems.push('it has no line CALLER=KEY')
  if (problems.length > 0)
    throw new TowlineError('TL_USAGE', `${file}: ${problems.join('; ')}`, {
      hint: '`openssl rand -hex 24` makes a good key',
    })
  return keys
}
