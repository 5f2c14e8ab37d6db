import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { renderCard, renderSpec } from './draft.ts'
import { loadCard } from './model/load-card.ts'
import { plainValue } from './source/positioned-node.ts'
import { parseYamlSource } from './source/yaml-source.ts'
import { validateDocument } from './validate.ts'

async function read(text: string): Promise<unknown> {
  const { root, diagnostics } = await parseYamlSource('towline.yaml', Buffer.from(text))
  assert.deepEqual(diagnostics, [])
  assert.ok(root !== undefined)
  return plainValue(root)
}

test('a first spec is a right one', async () => {
  const text = renderSpec({ name: 'cats', modelUri: './model', replicas: 2, cpu: '1', memory: '1Gi' })
  const baseDir = join(import.meta.dirname, '../../examples/image-classifier')
  const { service, diagnostics } = await validateDocument(await read(text), { baseDir, file: 'towline.yaml' })
  assert.deepEqual(diagnostics, [])
  assert.equal(service?.resources.memoryBytes, 1024 ** 3)
})

test('any name and any path come back as they were', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string(),
      fc.oneof(fc.string(), fc.constantFrom('on', '012', '1_0', '~', '.inf', '.0')),
      async (name, modelUri) => {
        const document = await read(renderSpec({ name, modelUri }))
        assert.deepEqual(document, {
          apiVersion: 'towline.dev/v1alpha1',
          kind: 'ModelService',
          metadata: { name },
          spec: { model: { uri: modelUri } },
        })
      },
    ),
  )
})

test('a first card is a right one', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-draft-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const draft = {
    task: 'ImageClassification',
    labels: 'labels.txt',
    output: 'Identity:0',
    activation: 'None',
    topK: 3,
    image: {
      input: 'images',
      width: 32,
      height: 48,
      layout: 'NHWC',
      colour: 'BGR',
      resize: { shortestEdge: 64, kernel: 'Linear' },
      crop: 'Center',
      mean: [0, 1.5, 2],
      scale: [1, 2, 255],
    },
  } as const
  writeFileSync(join(folder, 'card.yaml'), renderCard(draft))
  writeFileSync(join(folder, 'labels.txt'), 'cat\ndog\n')
  const { card, diagnostics } = await loadCard(join(folder, 'card.yaml'))
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(card, { ...draft, labels: ['cat', 'dog'] })
})
