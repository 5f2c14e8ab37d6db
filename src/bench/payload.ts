import { detectContentType, photoTypeOfName } from '../base/content-type.ts'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { readRegularFile } from '../base/file/regular-file.ts'

/** More than any gateway lets in. */
const maxBytes = 1 << 30

/** The body of a request to a model. */
export interface Payload {
  readonly bytes: Buffer
  readonly type: string
}

/** A photo or a request as JSON, by its content. */
export function readPayload(file: string): Payload {
  const bytes = readInput(file)
  const type = detectContentType(bytes)
  if (type === 'application/json' && photoTypeOfName(file) !== undefined) {
    throw new TowlineError('TL_IMAGE_INVALID', `${file} is named like a photo, but its content is none`)
  }
  return { bytes, type }
}

/** What is named like a photo is sent as one, whatever it holds: the way a check sends what must be refused. */
export function readPayloadAsNamed(file: string): Payload {
  const bytes = readInput(file)
  const seen = detectContentType(bytes)
  return { bytes, type: seen === 'application/json' ? (photoTypeOfName(file) ?? seen) : seen }
}

function readInput(file: string): Buffer {
  try {
    return readRegularFile(file, maxBytes)
  } catch (cause) {
    throw new TowlineError(
      hasErrno(cause, 'ENOENT') ? 'TL_FILE_MISSING' : 'TL_FILE_UNREADABLE',
      `${file} (${(cause as Error).message})`,
      {
        cause,
      },
    )
  }
}
