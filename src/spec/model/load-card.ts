import { dirname, resolve, sep } from 'node:path'
import { type Diagnostic, hasErrors, sortDiagnostics } from '../../base/diagnostic.ts'
import { TowlineError } from '../../base/errors.ts'
import type { ModelCard } from './card.ts'
import { defaults } from '../defaults.ts'
import { viewDocument } from '../rules/document-view.ts'
import type { ModelCardDocument } from '../schema/model-card.ts'
import { type Finding, placeFinding } from '../source/finding.ts'
import { plainValue } from '../source/positioned-node.ts'
import { readBytes } from '../source/read-bytes.ts'
import { maxSourceBytes, parseYamlSource } from '../source/yaml-source.ts'

const maxLabels = 100_000

/** Reads `card.yaml` and the labels beside it. What is wrong inside is returned; a missing card is thrown. */
export async function loadCard(
  file: string,
): Promise<{ readonly card?: ModelCard; readonly diagnostics: readonly Diagnostic[] }> {
  const { root, diagnostics: texts } = await parseYamlSource(file, await readBytes(file))
  if (root === undefined) return { diagnostics: texts }
  const [{ checkShape }, { modelCardSchema }] = await Promise.all([
    import('../schema/findings.ts'),
    import('../schema/model-card.ts'),
  ])
  const value = plainValue(root)
  const labels = await readLabels(file, value)
  const diagnostics = sortDiagnostics([
    ...texts,
    ...[...checkShape(modelCardSchema, value), ...checkImage(value), ...labels.findings].map((finding) =>
      placeFinding(root, finding),
    ),
  ])
  if (hasErrors(diagnostics)) return { diagnostics }
  // The schema has just found nothing to say against it.
  return { card: resolveCard(value as ModelCardDocument, labels.labels), diagnostics }
}

function resolveCard({ image, ...card }: ModelCardDocument, labels: readonly string[]): ModelCard {
  return {
    task: card.task,
    labels,
    output: card.output,
    activation: card.activation ?? defaults.card.activation,
    topK: card.topK ?? defaults.card.topK,
    image: {
      input: image.input,
      ...image.size,
      layout: image.layout,
      colour: image.colour ?? defaults.card.colour,
      resize: image.resize,
      crop: image.crop ?? defaults.card.crop,
      mean: image.mean,
      scale: image.scale,
    },
  }
}

async function readLabels(
  file: string,
  value: unknown,
): Promise<{ readonly labels: readonly string[]; readonly findings: readonly Finding[] }> {
  const name = viewDocument(value).textAt('labels')
  const refuse = (message: string): { labels: []; findings: Finding[] } => ({
    labels: [],
    findings: [{ path: ['labels'], code: 'TL_CARD_LABELS', message }],
  })
  // The shape check says what is wrong with it.
  if (name === undefined || name === '' || name.includes('\0')) return { labels: [], findings: [] }
  const folder = dirname(resolve(file))
  const path = resolve(folder, name)
  if (!path.startsWith(`${folder}${sep}`))
    return refuse(`\`${name}\` lies outside the folder of the model, so its digest does not cover it`)
  let bytes: Uint8Array
  try {
    bytes = await readBytes(path)
  } catch (error) {
    if (error instanceof TowlineError) return refuse(`the labels cannot be read: ${error.detail}`)
    throw error
  }
  if (bytes.length > 16 * maxSourceBytes)
    return refuse(`\`${name}\` has ${bytes.length} bytes; that is no list of labels`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return refuse(`\`${name}\` is not UTF-8 text`)
  }
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const empty = lines.findIndex((line) => line.trim() === '')
  if (lines.length === 0) return refuse(`\`${name}\` holds no label`)
  // Leaving it out would shift every label behind it to the wrong class.
  if (empty !== -1) return refuse(`line ${empty + 1} of \`${name}\` is empty; each line is the label of one class`)
  if (lines.length > maxLabels) return refuse(`\`${name}\` holds ${lines.length} labels; the most is ${maxLabels}`)
  return { labels: lines.map((line) => line.trim()), findings: [] }
}

function checkImage(value: unknown): Finding[] {
  const view = viewDocument(value)
  const findings: Finding[] = []
  for (const [index, scale] of view.listAt('image', 'scale').entries())
    if (scale === 0)
      findings.push({
        path: ['image', 'scale', index],
        code: 'TL_CARD_IMAGE',
        message: 'a scale of 0 divides by nothing',
      })
  const edge = view.numberAt('image', 'resize', 'shortestEdge')
  const largest = Math.max(view.numberAt('image', 'size', 'width') ?? 0, view.numberAt('image', 'size', 'height') ?? 0)
  if (edge !== undefined && edge < largest) {
    const message = `a picture scaled to ${edge} pixels cannot fill the ${largest} that the model takes`
    findings.push({ path: ['image', 'resize', 'shortestEdge'], code: 'TL_CARD_IMAGE', message })
  }
  return findings
}
