import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/file/atomic-file.ts'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { readRegularFile } from '../base/file/regular-file.ts'
import { type Attestation, attestationForm } from './attestation.ts'
import { openSpecFolder, specFolder } from './spec-folder.ts'

/** One with the figures of some hundred checks has a tenth of it. */
const maxBytes = 1 << 20
/** A file for each environment, service and model. Names of both are DNS labels, so the dots are ours. */
const fileName = /^([-a-z0-9]+)\.([-a-z0-9]+)\.[0-9a-f]{32}\.json$/

/** Beside the spec, so that every environment that is made from it finds what the others said. */
export function attestationsDir(specDir: string): string {
  return specFolder(specDir, 'attestations')
}

/** The newest word replaces the one before: a failure withdraws an earlier pass. Returns the file. */
export function writeAttestation(specDir: string, attestation: Attestation): string {
  const folder = openSpecFolder(specDir, 'attestations')
  const file = join(folder, nameOf(attestation))
  writeFileAtomic(file, `${JSON.stringify(attestation, undefined, 2)}\n`)
  return file
}

/** All that was said of this service. TL_STATE_UNUSABLE names a file that is damaged: what it said is not known. */
export function readAttestations(specDir: string, service: string): readonly Attestation[] {
  const folder = attestationsDir(specDir)
  return listFiles(folder)
    .filter((name) => fileName.exec(name)?.[2] === service)
    .map((name) => readAttestation(join(folder, name), name))
}

function readAttestation(file: string, name: string): Attestation {
  let value: unknown
  try {
    value = JSON.parse(readRegularFile(file, maxBytes).toString())
  } catch (cause) {
    if (!(cause instanceof SyntaxError))
      throw new TowlineError('TL_FILE_UNREADABLE', `${file} (${(cause as Error).message})`, { cause })
    throw unusable(file, 'it is no JSON', cause)
  }
  const { data, error } = attestationForm.safeParse(value)
  if (error !== undefined) {
    const [issue] = error.issues
    throw unusable(file, `${issue?.path.join('.') || 'its content'}: ${issue?.message ?? 'is not understood'}`)
  }
  // A file that was copied to another name would speak for a model that nobody tested.
  if (nameOf(data) !== name) throw unusable(file, `it speaks of ${data.service}, ${data.environment}, ${data.model}`)
  return data
}

function unusable(file: string, why: string, cause?: unknown): TowlineError {
  return new TowlineError('TL_STATE_UNUSABLE', `${file} is no attestation (${why})`, {
    hint: 'delete the file and run `towline test` again',
    cause,
  })
}

function nameOf({ environment, service, model }: Attestation): string {
  return `${environment}.${service}.${model.replace('sha256:', '').slice(0, 32)}.json`
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) return []
    throw new TowlineError('TL_FILE_UNREADABLE', folder, { cause })
  }
}
