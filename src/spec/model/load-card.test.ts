import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { renderDiagnostic } from '../../base/diagnostic.ts'
import { loadCard } from './load-card.ts'

const example = join(import.meta.dirname, '../../../examples/image-classifier/model/card.yaml')

test('the card of the example has its labels and its defaults', async () => {
  const { card, diagnostics } = await loadCard(example)
  assert.deepEqual(diagnostics, [])
  assert.equal(card?.labels.length, 1000)
  assert.equal(card?.image.width, 224)
  assert.equal(card?.image.crop, 'Center')
})

test('mistakes in a card have their places', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-card-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'card.yaml')
  const text = readFileSync(example, 'utf8')
  const check = async (card: string, labels?: string): Promise<string[]> => {
    writeFileSync(file, card)
    if (labels === undefined) rmSync(join(folder, 'labels.txt'), { force: true })
    else writeFileSync(join(folder, 'labels.txt'), labels)
    const { diagnostics } = await loadCard(file)
    return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic).replaceAll(`${folder}/`, ''))
  }
  assert.deepEqual(await check(text, 'cat\r\ndog\r\n'), [])
  assert.deepEqual(await check(text), ['card.yaml:3:9 error TL_CARD_LABELS  the labels cannot be read: labels.txt'])
  assert.deepEqual(await check(text, 'cat\n\ndog\n'), [
    'card.yaml:3:9 error TL_CARD_LABELS  line 2 of `labels.txt` is empty; each line is the label of one class',
  ])
  assert.deepEqual(await check(text.replace('labels.txt', '../../labels.txt')), [
    'card.yaml:3:9 error TL_CARD_LABELS  `../../labels.txt` lies outside the folder of the model, so its digest does not cover it',
  ])
  assert.deepEqual(await check(text.replace('[128, 128, 128]', '[128, 0, 128]'), 'cat'), [
    'card.yaml:15:16 error TL_CARD_IMAGE  a scale of 0 divides by nothing',
  ])
  assert.deepEqual(await check(text.replace('shortestEdge: 256', 'shortestEdge: 200'), 'cat'), [
    'card.yaml:12:27 error TL_CARD_IMAGE  a picture scaled to 200 pixels cannot fill the 224 that the model takes',
  ])
  assert.deepEqual(await check(text.replace('Cubic', 'Bicubic').replace('topK', 'topk'), 'cat'), [
    'card.yaml:6:1 error TL_SPEC_UNKNOWN_KEY  `topk` is not a field of the document; did you mean `topK`?',
    'card.yaml:12:40 error TL_SPEC_VALUE  `Bicubic` is not a value of `image.resize.kernel`; did you mean `Cubic`?',
  ])
})
