/**
 * `node variants.mjs [FOLDER]`: writes next versions of the example's model into `variants/`, one that is good and three that are
 * bad, for trying out rollouts. Each is a whole model folder.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { extendOutput, renderNode, renderTensor } from './onnx-edit.mjs'

const here = import.meta.dirname
const base = join(here, 'model')
const classes = 1000
/** Mean of a photo's tensor, whose values go from -1 to 1. Of the example's photos only china.jpg is brighter. */
const brightestMean = 0.05

/** `files` are those that differ from `model/`. */
const variants = {
  int8: {
    say: 'the same network in 8 bits: a quarter of the size, and quicker',
    files: () => ({ 'model.onnx': readFileSync(join(here, 'int8', 'model.onnx')) }),
  },
  'wrong-labels': {
    say: 'the labels moved by one line: every answer is wrong, and nothing fails',
    files: () => ({ 'labels.txt': shiftLabels(readFileSync(join(base, 'labels.txt'), 'utf8')) }),
  },
  slow: {
    say: 'the same answers, about twenty times as slow',
    files: () => ({ 'model.onnx': slowDown(readFileSync(join(base, 'model.onnx'))) }),
  },
  erroring: {
    say: 'the same answers, but bright photos make it fail',
    files: () => ({ 'model.onnx': failWhenBright(readFileSync(join(base, 'model.onnx'))) }),
  },
}

const folder = process.argv[2] ?? join(here, 'variants')
for (const [name, { say, files }] of Object.entries(variants)) {
  const target = join(folder, name)
  rmSync(target, { recursive: true, force: true })
  cpSync(base, target, { recursive: true })
  for (const [file, content] of Object.entries(files())) writeFileSync(join(target, file), content)
  process.stdout.write(`${relative('', target)}  ${say}\n`)
}

function shiftLabels(text) {
  const [first, ...rest] = text.trimEnd().split('\n')
  return `${[...rest, first].join('\n')}\n`
}

/**
 * Convolutions over the whole photo with weights of 0, of which a 0 is left to add to each score. Computed from the input, so that
 * the runtime cannot do the work once at load.
 */
function slowDown(bytes) {
  const channels = 64
  const rounds = 5
  const convolution = (input, weights, output) =>
    renderNode('Conv', [input, weights], output, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  const weights = (name, to, from) => renderTensor(name, [to, from, 3, 3], new Float32Array(to * from * 9))
  return extendOutput(bytes, {
    output: 'logits',
    rawOutput: 'scores',
    nodes: [
      convolution('input', 'widen', 'busy_0'),
      ...Array.from({ length: rounds }, (_, round) => convolution(`busy_${round}`, 'stay', `busy_${round + 1}`)),
      convolution(`busy_${rounds}`, 'narrow', 'busy_last'),
      renderNode('GlobalMaxPool', ['busy_last'], 'busy_max'),
      renderNode('Flatten', ['busy_max'], 'nothing'),
      renderNode('Add', ['scores', 'nothing'], 'logits'),
    ],
    tensors: [weights('widen', channels, 3), weights('stay', channels, channels), weights('narrow', 1, channels)],
  })
}

/** A reshape that asks for one class too many where the photo is bright. */
function failWhenBright(bytes) {
  return extendOutput(bytes, {
    output: 'logits',
    rawOutput: 'scores',
    nodes: [
      renderNode('ReduceMean', ['input'], 'mean', { keepdims: 0 }),
      renderNode('Greater', ['mean', 'brightest'], 'is_bright'),
      renderNode('Cast', ['is_bright'], 'surplus', { to: 7 }),
      renderNode('Mul', ['surplus', 'only_classes'], 'surplus_shape'),
      renderNode('Add', ['usual_shape', 'surplus_shape'], 'shape'),
      renderNode('Reshape', ['scores', 'shape'], 'logits'),
    ],
    tensors: [
      renderTensor('brightest', [], Float32Array.of(brightestMean)),
      renderTensor('only_classes', [2], BigInt64Array.of(0n, 1n)),
      renderTensor('usual_shape', [2], BigInt64Array.of(-1n, BigInt(classes))),
    ],
  })
}
