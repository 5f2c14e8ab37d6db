import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { renderClassification } from '../oip/classification.ts'
import type { ExpectedOutput } from '../spec/test-plan/plan.ts'
import { judgeAnswer, type Verdict } from './answer-verdict.ts'

const answerOf = (body: unknown, status = 200) => ({ status, body, text: JSON.stringify(body) })

const photo = renderClassification({
  modelName: 'm',
  id: '1',
  classes: [
    { index: 968, label: 'cup', score: 0.612 },
    { index: 1, label: 'bowl', score: 0.21 },
    { index: 967, label: 'espresso', score: 0.201 },
  ],
})
const judgeLabel = (label: string, minPercent: number, body: unknown = photo): Verdict =>
  judgeAnswer({ kind: 'Label', label, minPercent }, answerOf(body))

const judgeData = (output: Omit<ExpectedOutput, 'name'>, data: readonly unknown[], datatype = 'FP32'): Verdict =>
  judgeAnswer(
    { kind: 'Outputs', outputs: [{ name: 'y', ...output }] },
    answerOf({ outputs: [{ name: 'y', datatype, shape: [data.length], data }] }),
  )

test('the first class must be the label, and its score enough', () => {
  assert.deepEqual(judgeLabel('cup', 61), { passed: true, detail: 'cup 61.2 %' })
  assert.deepEqual(judgeLabel('cup', 0), { passed: true, detail: 'cup 61.2 %' })
  assert.deepEqual(judgeLabel('cup', 62), {
    passed: false,
    detail: 'expected cup with at least 62 %, got cup 61.2 %, bowl 21.0 %',
  })
  assert.deepEqual(judgeLabel('espresso', 20), {
    passed: false,
    detail: 'expected espresso with at least 20 %, got cup 61.2 %, bowl 21.0 %, espresso 20.1 %',
  })
})

test('a score that is no probability is not taken for a percentage', () => {
  const raw = renderClassification({ modelName: 'm', id: '1', classes: [{ index: 0, label: 'cup', score: 11.5 }] })
  assert.deepEqual(judgeLabel('cup', 0, raw), { passed: true, detail: 'cup 11.5' })
  assert.deepEqual(judgeLabel('cup', 30, raw), {
    passed: false,
    detail: 'expected cup with at least 30 %, but the scores of this model are no probabilities (cup 11.5)',
  })
  const tensors = { outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [1] }] }
  assert.equal(judgeLabel('cup', 30, tensors).detail, 'expected cup with at least 30 %, got an answer without classes')
})

test('a refusal is compared by its status and told in the words of the service', () => {
  const refused = answerOf({ error: 'The image cannot be decoded: no JPEG' }, 400)
  assert.deepEqual(judgeAnswer({ kind: 'Status', status: 400 }, refused), { passed: true, detail: 'status 400' })
  assert.deepEqual(judgeAnswer({ kind: 'Status', status: 200 }, refused), {
    passed: false,
    detail: 'expected status 200, got status 400: The image cannot be decoded: no JPEG',
  })
  assert.equal(
    judgeAnswer({ kind: 'Label', label: 'cup', minPercent: 0 }, refused).detail,
    'expected cup, got status 400: The image cannot be decoded: no JPEG',
  )
  const page = { status: 502, body: undefined, text: '<h1>Bad\n  Gateway</h1>' }
  assert.equal(
    judgeAnswer({ kind: 'Status', status: 200 }, page).detail,
    'expected status 200, got status 502: <h1>Bad Gateway</h1>',
  )
})

test('floating point may differ a little, whole numbers and texts may not', () => {
  assert.deepEqual(judgeData({ data: [1, 0] }, [1.00005, 1e-7]), { passed: true, detail: 'y: 2 values as expected' })
  assert.equal(judgeData({ data: [1] }, [1.001]).detail, 'y: expected 1, got 1.001')
  assert.equal(judgeData({ data: [100_000] }, [100_001], 'INT64').passed, false)
  assert.equal(judgeData({ data: ['a', 'b'] }, ['a', 'c'], 'BYTES').detail, 'y[1]: expected "b", got "c"')
  assert.equal(judgeData({ data: [true] }, [true], 'BOOL').passed, true)
})

test('what is missing is named: a value, an output, a number', () => {
  assert.equal(judgeData({ data: [1, 2] }, [1]).detail, 'y: expected 2 values, got 1')
  assert.equal(judgeData({ data: [1, 2] }, [null, 3]).detail, 'y[0]: expected 1, got null; 2 of 2 values differ')
  const outputs = [{ name: 'z', data: [1] }]
  const judge = (body: unknown): string => judgeAnswer({ kind: 'Outputs', outputs }, answerOf(body)).detail
  assert.equal(judge({ outputs: [{ name: 'y', data: [1] }, null, 5] }), 'expected the output z, got y')
  assert.equal(judge('text'), 'expected the output z, got no outputs')
})

test('a number passes exactly when it lies within its tolerance', () => {
  const number = fc.integer({ min: -1000, max: 1000 })
  const small = fc.integer({ min: 0, max: 20 })
  fc.assert(
    fc.property(number, number, small, small, (wanted, seen, percent, absolute) => {
      const { passed } = judgeData({ data: [wanted], tolerance: { share: percent / 100, absolute } }, [seen])
      // In hundredths, so that the comparison itself is exact.
      const [off, allowed] = [Math.abs(seen - wanted) * 100, absolute * 100 + percent * Math.abs(wanted)]
      fc.pre(off !== allowed)
      assert.equal(passed, off < allowed)
    }),
  )
})
