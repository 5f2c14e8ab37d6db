import { randomBytes, randomUUID } from 'node:crypto'

/** An id for one request, unique everywhere. */
export const newRequestId = (): string => randomUUID()

/** A short id for people: lower-case letters and digits, no vowels, so that it spells nothing. */
export function newShortId(length = 5): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789'
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('')
}
