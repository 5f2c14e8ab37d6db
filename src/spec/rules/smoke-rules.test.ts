import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { viewDocument } from './document-view.ts'
import { checkSmoke } from './smoke-rules.ts'

const photos = join(import.meta.dirname, '../../../examples/image-classifier/photos')

test('what cannot be sent is a finding at its entry, and the rest is none', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-smoke-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const head = 'apiVersion: towline.dev/v1alpha1\nkind: ModelTest\n'
  copyFileSync(join(photos, 'coffee.jpg'), join(folder, 'coffee.jpg'))
  writeFileSync(join(folder, 'request.json'), '{"inputs":[]}')
  writeFileSync(join(folder, 'good.yaml'), `${head}inferences:\n- { input: coffee.jpg, expect: { label: espresso } }\n`)
  writeFileSync(join(folder, 'noise.jpg'), 'noise')
  writeFileSync(join(folder, 'half.json'), '{"inputs":')
  writeFileSync(join(folder, 'wrong.yaml'), `${head}inferences:\n- { input: coffee.jpg, expect: {} }\nlaod: {}\n`)
  writeFileSync(join(folder, 'load.yaml'), `${head}load: { input: request.json, requestsPerSecond: 9, duration: 9s }\n`)
  mkdirSync(join(folder, 'folder'))
  const smoke = ['coffee.jpg', './request.json', 'good.yaml']
  const bad = ['tea.jpg', 'noise.jpg', 'half.json', 'wrong.yaml', 'load.yaml', 'folder', 5, '']
  const view = viewDocument({ spec: { rollout: { smoke: [...smoke, ...bad] } } })
  const findings = await checkSmoke(view, folder)
  assert.ok(findings.every(({ code }) => code === 'TL_SPEC_SMOKE'))
  assert.deepEqual(
    findings.map(({ path, message }) => [path.at(-1), message]),
    [
      [3, `\`tea.jpg\` is no file that is there (looked at ${folder}/tea.jpg)`],
      [4, '`noise.jpg` is named like a photo, but its content is none'],
      [5, '`half.json` is neither a photo nor JSON'],
      [6, '`wrong.yaml` line 4: `expect` names nothing; give exactly one of label, status, outputs'],
      [6, '`wrong.yaml` line 5: `laod` is not a field of the document; did you mean `load`?'],
      [7, '`load.yaml` holds no `inferences`, so there is nothing to send'],
      [8, `\`folder\` is no file that is there (looked at ${folder}/folder)`],
    ],
  )
})
