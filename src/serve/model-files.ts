import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TowlineError } from '../base/errors.ts'
import { hashFile } from '../base/file/hash-file.ts'

export interface ModelFiles {
  readonly modelFile: string
  /** Only a model in a folder of its own has a card. */
  readonly cardFile: string | undefined
}

/** A folder with `model.onnx` (or one single `.onnx`) and maybe `card.yaml`, or a single file. */
export function findModelFiles(modelPath: string): ModelFiles {
  const stat = statSync(modelPath, { throwIfNoEntry: false })
  if (stat === undefined)
    throw new TowlineError('TL_MODEL_MISSING', `${modelPath} does not exist`, { hint: 'check model.uri in the spec' })
  if (stat.isFile()) return { modelFile: modelPath, cardFile: undefined }
  const card = join(modelPath, 'card.yaml')
  const cardFile = existsSync(card) ? card : undefined
  const named = join(modelPath, 'model.onnx')
  if (existsSync(named)) return { modelFile: named, cardFile }
  const candidates = readdirSync(modelPath).filter((name) => name.endsWith('.onnx'))
  const [only, second] = candidates
  if (only === undefined || second !== undefined) {
    const seen =
      only === undefined
        ? 'no .onnx file'
        : `${candidates.length} of them (${candidates.toSorted().slice(0, 4).join(', ')})`
    throw new TowlineError('TL_MODEL_MISSING', `${modelPath} has no model.onnx and ${seen}`, {
      hint: 'name the one to serve model.onnx',
    })
  }
  return { modelFile: join(modelPath, only), cardFile }
}

export async function printModel(modelFile: string): Promise<{ sha256: string; sizeBytes: number }> {
  const digest = await hashFile(modelFile)
  return { sha256: digest.toString('hex'), sizeBytes: statSync(modelFile).size }
}
