import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse as parseYaml } from 'yaml'
import { renderDiagnostic } from '../../base/diagnostic.ts'
import { renderTestPlanSchema } from '../json-schema.ts'
import { loadTestPlan } from './load-plan.ts'
import { type ParsedTestPlan, parseTestPlan } from './parse-plan.ts'

const head = 'apiVersion: towline.dev/v1alpha1\nkind: ModelTest\n'

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-plan-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'coffee.jpg'), 'photo')
  writeFileSync(join(folder, 'sum.json'), '{}')
  return folder
}

async function parse(folder: string, text: string): Promise<ParsedTestPlan> {
  return parseTestPlan(join(folder, 'towline.test.yaml'), Buffer.from(head + text))
}

test('a plan has its defaults, its units and absolute paths', async (t) => {
  const folder = createFolder(t)
  const { plan, diagnostics } = await parse(
    folder,
    `inferences:
- { input: ./coffee.jpg, expect: { label: espresso, minPercent: 30 } }
- { name: broken, input: coffee.jpg, expect: { status: 400 } }
- input: sum.json
  expect:
    outputs:
    - { name: sum, data: [1, 2.5, -0.03], tolerancePercent: 1, tolerance: 1m }
    - { name: word, data: [a] }
load: { input: sum.json, requestsPerSecond: 20, duration: 30s, p99: 500ms }
`,
  )
  assert.deepEqual(diagnostics, [])
  const [photo, json] = [join(folder, 'coffee.jpg'), join(folder, 'sum.json')]
  const outputs = [
    { name: 'sum', data: [1, 2.5, -0.03], tolerance: { share: 0.01, absolute: 0.001 } },
    { name: 'word', data: ['a'] },
  ]
  assert.deepEqual(plan, {
    inferences: [
      { name: 'coffee.jpg', input: photo, expect: { kind: 'Label', label: 'espresso', minPercent: 30 } },
      { name: 'broken', input: photo, expect: { kind: 'Status', status: 400 } },
      { name: 'sum.json', input: json, expect: { kind: 'Outputs', outputs } },
    ],
    load: { input: json, requestsPerSecond: 20, durationMs: 30_000, maxErrorsPerThousand: 0, p99Ms: 500 },
  })
})

test('all mistakes of a plan are told at once, each at its place', async (t) => {
  const folder = createFolder(t)
  const { plan, diagnostics } = await parse(
    folder,
    `inferences:
- { input: tea.jpg, expect: { label: espresso, status: 200 } }
- { input: coffee.jpg, expect: { minPercent: 30 }, nmae: x }
- { input: coffee.jpg, expect: { label: espresso, minPercent: 0.5 } }
- { input: sum.json, expect: { outputs: [{ name: sum, data: [1, a], tolerance: -1 }] } }
- { input: sum.json, expect: { outputs: [{ name: sum, data: [[1]], tolerancePercent: 1 }] } }
load: { input: sum.json, requestsPerSecond: 1, duration: 2h, p99: 3m }
`,
  )
  assert.equal(plan, undefined)
  assert.deepEqual(
    diagnostics.map((diagnostic) => renderDiagnostic(diagnostic).replaceAll(`${folder}/`, '')),
    [
      'towline.test.yaml:4:12 error TL_TEST_INPUT  `tea.jpg` is no file that is there (looked at tea.jpg)',
      'towline.test.yaml:4:29 error TL_TEST_EXPECT  `expect` names label and status; give exactly one of label, status, outputs',
      'towline.test.yaml:5:32 error TL_TEST_EXPECT  `expect` names nothing; give exactly one of label, status, outputs',
      'towline.test.yaml:5:46 error TL_TEST_EXPECT  `minPercent` is the score of a `label`, which is not given',
      'towline.test.yaml:5:52 error TL_SPEC_UNKNOWN_KEY  `nmae` is not a field of inferences[1]; did you mean `name`?',
      'towline.test.yaml:6:63 error TL_SPEC_TYPE  `inferences[2].expect.minPercent` must be a whole number, not the number `0.5`',
      'towline.test.yaml:7:61 error TL_TEST_EXPECT  `data` mixes number and string; a tensor has one type',
      'towline.test.yaml:7:80 error TL_SPEC_QUANTITY  `-1` is no tolerance; write for example 1m (a thousandth), 0.5 or 10',
      'towline.test.yaml:8:62 error TL_SPEC_TYPE  a tensor is a flat list of numbers, texts, or true and false',
      'towline.test.yaml:8:86 error TL_TEST_EXPECT  `tolerancePercent` means something for numbers only',
      'towline.test.yaml:9:58 error TL_SPEC_LIMIT  the load lasts 2h; the most is 1h',
      'towline.test.yaml:9:67 error TL_SPEC_LIMIT  `p99` is 3m; it must be above 0 and at most 2m',
    ],
  )
})

test('a plan that checks nothing, or too little, is refused', async (t) => {
  const folder = createFolder(t)
  const messages = async (text: string): Promise<string[]> =>
    (await parse(folder, text)).diagnostics.map(({ message }) => message)
  assert.deepEqual(await messages(''), ['nothing is checked; add `inferences` or `load`'])
  assert.deepEqual(await messages('load: { input: sum.json, requestsPerSecond: 5, duration: 2s }\n'), [
    'the load is 10 requests in all; fewer than 20 prove nothing',
  ])
})

test('a misspelt key is told once', async (t) => {
  const { diagnostics } = await parse(
    createFolder(t),
    'inferences:\n- { input: coffee.jpg, expect: { lable: espresso, minPercent: 30 } }\n',
  )
  assert.deepEqual(
    diagnostics.map(({ message }) => message),
    ['`lable` is not a field of inferences[0].expect; did you mean `label`?'],
  )
})

test('the plan of the example is right, for the loader and for its JSON Schema', async () => {
  const file = join(import.meta.dirname, '../../../examples/image-classifier/towline.test.yaml')
  const { plan, diagnostics } = await loadTestPlan(file)
  assert.deepEqual(diagnostics, [])
  assert.equal(plan?.load?.p99Ms, 500)
  const check = new Ajv2020({ strict: false }).compile(await renderTestPlanSchema())
  assert.equal(check(parseYaml(readFileSync(file, 'utf8'))), true)
  const expect = { outputs: [{ name: 'y', data: [null] }], minPercent: 0.5 }
  const wrong = { apiVersion: 'towline.dev/v1alpha1', kind: 'ModelTest', inferences: [{ input: 'x', expect }] }
  assert.equal(check(wrong), false)
})

test('a plan that is not there is thrown, one of another kind is a finding', async (t) => {
  const folder = createFolder(t)
  const file = join(folder, 'towline.test.yaml')
  await assert.rejects(loadTestPlan(file), { code: 'TL_FILE_MISSING' })
  writeFileSync(file, 'apiVersion: towline.dev/v1alpha1\nkind: ModelService\n')
  const codes = (await loadTestPlan(file)).diagnostics.map(({ code }) => code)
  assert.deepEqual(codes, ['TL_TEST_EXPECT', 'TL_SPEC_KIND'])
})
