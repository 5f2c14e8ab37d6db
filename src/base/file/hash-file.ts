import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** The digest of a file's content, never all of it in memory. System errors as they are. */
export async function hashFile(file: string, algorithm: 'sha256' | 'sha512' = 'sha256'): Promise<Buffer> {
  const hash = createHash(algorithm)
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest()
}
