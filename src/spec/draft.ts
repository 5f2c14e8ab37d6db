import { renderDuration } from '../base/duration.ts'
import { defaults } from './defaults.ts'
import type { ModelCard } from './model/card.ts'

export interface SpecDraft {
  readonly name: string
  /** As it is written: a path relative to the spec's folder. */
  readonly modelUri: string
  readonly replicas?: number
  /** Kubernetes quantities; absent: shown as comments. */
  readonly cpu?: string
  readonly memory?: string
}

/** The text of a first `towline.yaml`, for `towline init`: what is chosen, and in comments what could be. */
export function renderSpec({ name, modelUri, replicas, cpu, memory }: SpecDraft): string {
  const chosen = [
    cpu === undefined ? '' : `cpu: ${quantity(cpu)}`,
    memory === undefined ? '' : `memory: ${quantity(memory)}`,
  ]
  const resources = chosen.filter((part) => part !== '').join(', ')
  const lines = [
    'apiVersion: towline.dev/v1alpha1',
    'kind: ModelService',
    'metadata:',
    `  name: ${scalar(name)}`,
    'spec:',
    '  model:',
    `    uri: ${scalar(modelUri)}`.padEnd(32) + '# a folder with model.onnx and maybe card.yaml, or a single file',
    replicas === undefined ? `  # replicas: ${defaults.replicas}` : `  replicas: ${replicas}`,
    resources === '' ? '  # resources: { cpu: 1, memory: 1Gi }' : `  resources: { ${resources} }`,
    '  # serving:',
    `  #   timeout: ${renderDuration(defaults.timeoutMs)}`.padEnd(32) + '# longest time for one answer',
    `  #   maxQueuedRows: ${defaults.maxQueuedRows}`.padEnd(32) + '# beyond it 503 with Retry-After',
    '  # env:',
    '  # - { name: LOG_LEVEL, value: info }',
  ]
  return `${lines.join('\n')}\n`
}

export interface CardDraft extends Omit<ModelCard, 'labels'> {
  /** Name of the file beside the card. */
  readonly labels: string
}

/** The text of a first `card.yaml`. */
export function renderCard({ task, labels, output, activation, topK, image }: CardDraft): string {
  const list = (numbers: readonly number[]): string => `[${numbers.join(', ')}]`
  const lines = [
    "# How a picture becomes this model's input, and its output an answer people can read.",
    `task: ${task}`,
    `labels: ${scalar(labels)}`.padEnd(30) + '# one line a class, in the order of the output',
    `output: ${scalar(output)}`,
    `activation: ${activation}`.padEnd(30) + '# None, Softmax or Sigmoid: what turns scores into probabilities',
    `topK: ${topK}`,
    'image:',
    `  input: ${scalar(image.input)}`,
    `  size: { width: ${image.width}, height: ${image.height} }`,
    `  layout: ${image.layout}`,
    `  colour: ${image.colour}`,
    `  resize: { shortestEdge: ${image.resize.shortestEdge}, kernel: ${image.resize.kernel} }`,
    `  crop: ${image.crop}`,
    `  mean: ${list(image.mean)}`.padEnd(30) + '# (value - mean) / scale, for values from 0 to 255',
    `  scale: ${list(image.scale)}`,
  ]
  return `${lines.join('\n')}\n`
}

/** Plain when every YAML reads it as this text, quoted otherwise. JSON strings are YAML. */
function scalar(text: string): string {
  const isWord =
    /^(?!\.\d)[A-Za-z./][\w./-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null|\.inf|\.nan)$/i.test(text)
  return isWord ? text : JSON.stringify(text)
}

function quantity(text: string): string {
  return /^[0-9]{1,15}(?:m|k|M|G|Ki|Mi|Gi)?$/.test(text) && !/^0[0-9]/.test(text) ? text : JSON.stringify(text)
}
