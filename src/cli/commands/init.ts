import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { writeFileAtomic } from '../../base/file/atomic-file.ts'
import { TowlineError } from '../../base/errors.ts'
import { findModelFiles } from '../../serve/model-files.ts'
import { type OnnxMetadata, type OnnxPort, readOnnxMetadata } from '../../serve/runtime/onnx-metadata.ts'
import { renderCard, renderSpec } from '../../spec/draft.ts'
import type { ImagePreparation } from '../../spec/model/card.ts'
import type { CliContext } from '../context.ts'
import { renderRow } from '../term/layout.ts'

export interface InitFlags {
  readonly name?: string
  readonly labels?: string
  readonly force: boolean
}

/** Writes what the model's own file says, and says what it could not know. */
export async function init(this: CliContext, flags: InitFlags, model: string): Promise<void> {
  const { terminal } = this
  const path = resolve(this.cwd, model)
  const { modelFile } = findModelFiles(path)
  const metadata = readOnnxMetadata(modelFile)
  const isFolder = statSync(path).isDirectory()
  const specFile = join(this.cwd, 'towline.yaml')
  const cardFile = join(isFolder ? path : dirname(modelFile), 'card.yaml')
  const picture = findImageShape(metadata)
  // A card is read only from a model's folder: for a single file the folder that holds it becomes the model.
  const modelUri = `./${relative(this.cwd, picture !== undefined && !isFolder && basename(modelFile) === 'model.onnx' ? dirname(modelFile) : path)}`
  const writesCard = picture !== undefined && (isFolder || basename(modelFile) === 'model.onnx')
  const name = flags.name ?? suggestName(modelFile)
  requireName(name)
  const taken = [specFile, ...(writesCard ? [cardFile] : [])].filter((file) => existsSync(file))
  if (taken.length > 0 && !flags.force) {
    throw new TowlineError('TL_FILE_EXISTS', taken.map((file) => relative(this.cwd, file)).join(', '), {
      hint: 'say --force to replace',
    })
  }

  terminal.out(
    renderRow(
      'model',
      `${basename(modelFile)}  opset ${metadata.opset ?? '?'}${metadata.producer === '' ? '' : `  made by ${metadata.producer}`}`,
    ),
  )
  for (const port of metadata.inputs) terminal.out(renderRow('input', renderPort(port)))
  for (const port of metadata.outputs) terminal.out(renderRow('output', renderPort(port)))
  writeFileAtomic(specFile, renderSpec({ name, modelUri }))
  terminal.out(renderRow('wrote', relative(this.cwd, specFile)))
  const unknown: string[] = [
    'how much CPU and memory it needs: towline.yaml asks for the defaults; measure and set resources',
  ]
  if (writesCard) {
    const labels = writeLabels(this.cwd, cardFile, { flags, classes: picture.classes })
    writeFileAtomic(
      cardFile,
      renderCard({
        task: 'ImageClassification',
        labels: labels.file,
        output: picture.output,
        activation: 'Softmax',
        topK: 5,
        image: picture.image,
      }),
    )
    terminal.out(renderRow('wrote', relative(this.cwd, cardFile)))
    if (labels.invented) unknown.push(`the names of the ${picture.classes} classes: ${labels.file} has placeholders`)
    unknown.push(
      'how pixels were scaled in training: card.yaml says mean 127.5, scale 127.5; wrong values give wrong answers',
      'whether the output already is a probability: card.yaml says activation Softmax; write None if it is',
    )
  } else if (picture !== undefined)
    unknown.push(
      'whether it takes photos (its shape looks like it): put it into a folder as model.onnx and run init on the folder',
    )
  for (const text of unknown) terminal.out(renderRow('not known', text))
  terminal.out(renderRow('next', 'towline check && towline up'))
}

interface ImageShape {
  readonly image: ImagePreparation
  readonly output: string
  readonly classes: number
}

/** One FP32 picture in, one row of scores out: an image classifier, as far as shapes can tell. */
function findImageShape({ inputs, outputs }: OnnxMetadata): ImageShape | undefined {
  const [input, second] = inputs
  const output = outputs.find(
    ({ datatype, shape }) => datatype === 'FP32' && shape.length === 2 && typeof shape[1] === 'number' && shape[1] > 1,
  )
  if (
    input === undefined ||
    second !== undefined ||
    output === undefined ||
    input.datatype !== 'FP32' ||
    input.shape.length !== 4
  )
    return undefined
  const [, ...rest] = input.shape
  const layout = rest[0] === 3 ? 'NCHW' : rest[2] === 3 ? 'NHWC' : undefined
  const [height, width] = layout === 'NCHW' ? rest.slice(1) : rest
  if (layout === undefined || typeof height !== 'number' || typeof width !== 'number' || Math.min(height, width) < 8)
    return undefined
  const shortestEdge = Math.round((Math.max(width, height) * 8) / 7)
  const image: ImagePreparation = {
    input: input.name,
    width,
    height,
    layout,
    colour: 'RGB',
    resize: { shortestEdge, kernel: 'Linear' },
    crop: 'Center',
    mean: [127.5, 127.5, 127.5],
    scale: [127.5, 127.5, 127.5],
  }
  return { image, output: output.name, classes: Number(output.shape[1]) }
}

function writeLabels(
  cwd: string,
  cardFile: string,
  { flags, classes }: { flags: InitFlags; classes: number },
): { file: string; invented: boolean } {
  const target = join(dirname(cardFile), 'labels.txt')
  if (flags.labels !== undefined) {
    const source = resolve(cwd, flags.labels)
    if (!existsSync(source)) throw new TowlineError('TL_FILE_MISSING', flags.labels)
    const text = readFileSync(source, 'utf8')
    const count = text.split('\n').filter((line) => line.trim() !== '').length
    if (count !== classes)
      throw new TowlineError('TL_CARD_INVALID', `${flags.labels} has ${count} labels, the model has ${classes} classes`)
    if (source !== target) writeFileAtomic(target, text)
    return { file: 'labels.txt', invented: false }
  }
  if (existsSync(target)) return { file: 'labels.txt', invented: false }
  writeFileAtomic(target, `${Array.from({ length: classes }, (_, index) => `class ${index}`).join('\n')}\n`)
  return { file: 'labels.txt', invented: true }
}

function suggestName(modelFile: string): string {
  const stem = basename(modelFile, '.onnx')
  const word = stem === 'model' ? basename(dirname(modelFile)) : stem
  return (
    word
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .slice(0, 40)
      .replaceAll(/^-+|-+$/g, '') || 'model'
  )
}

function requireName(name: string): void {
  if (/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/.test(name)) return
  throw new TowlineError('TL_USAGE', `\`${name}\` is no name for a service`, {
    hint: 'lower-case letters, digits and -, beginning with a letter, at most 40: say --name',
  })
}

const renderPort = ({ name, datatype, shape }: OnnxPort): string =>
  `${name}  ${datatype ?? 'not a tensor'} [${shape.join(', ')}]`
