import { formatPercent } from '../base/display.ts'
import { type ClassScore, readClasses } from '../oip/classification.ts'
import type { ExpectedOutput, Expectation, TensorElement, Tolerance } from '../spec/test-plan/plan.ts'
import type { InferenceAnswer } from './inference-call.ts'

export interface Verdict {
  readonly passed: boolean
  /** What came; when it is not what was expected, that too. */
  readonly detail: string
}

/** What floating point may differ by from one machine to the next. Whole numbers are equal. */
const usualTolerance: Tolerance = { share: 1e-4, absolute: 1e-6 }
const exact: Tolerance = { share: 0, absolute: 0 }

export function judgeAnswer(expect: Expectation, answer: Omit<InferenceAnswer, 'tookMs'>): Verdict {
  const { status, body } = answer
  if (expect.kind === 'Status')
    return status === expect.status
      ? { passed: true, detail: `status ${status}` }
      : fail(`expected status ${expect.status}, got ${describeStatus(answer)}`)
  const wanted = expect.kind === 'Label' ? describeLabel(expect) : expect.outputs.map(({ name }) => name).join(', ')
  if (status !== 200) return fail(`expected ${wanted}, got ${describeStatus(answer)}`)
  if (expect.kind === 'Label') return judgeClasses(expect, readClasses(body))
  const verdicts = expect.outputs.map((output) => judgeOutput(output, readOutputs(body)))
  const failed = verdicts.filter(({ passed }) => !passed)
  return {
    passed: failed.length === 0,
    detail: (failed.length === 0 ? verdicts : failed).map(({ detail }) => detail).join('; '),
  }
}

/** `status 400: The image cannot be decoded: …`, with the service's own words. */
export function describeStatus({ status, body, text }: Omit<InferenceAnswer, 'tookMs'>): string {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  const words = (typeof error === 'string' ? error : text).slice(0, 200).replaceAll(/\s+/g, ' ').trim()
  return status === 200 || words === '' ? `status ${status}` : `status ${status}: ${words}`
}

type Label = Extract<Expectation, { kind: 'Label' }>

function judgeClasses(expect: Label, classes: readonly ClassScore[] | undefined): Verdict {
  const wanted = describeLabel(expect)
  const [first] = classes ?? []
  if (classes === undefined || first === undefined) return fail(`expected ${wanted}, got an answer without classes`)
  if (expect.minPercent > 0 && !isShare(first.score))
    return fail(`expected ${wanted}, but the scores of this model are no probabilities (${describeClass(first)})`)
  if (first.label === expect.label && (expect.minPercent === 0 || first.score >= expect.minPercent / 100))
    return { passed: true, detail: describeClass(first) }
  const shown = classes.filter(({ label }, at) => at < 2 || label === expect.label)
  return fail(`expected ${wanted}, got ${shown.map(describeClass).join(', ')}`)
}

function describeLabel({ label, minPercent }: Label): string {
  return minPercent === 0 ? label : `${label} with at least ${minPercent} %`
}

function describeClass({ label, score }: ClassScore): string {
  return `${label} ${isShare(score) ? formatPercent(score) : String(score)}`
}

function isShare(score: number): boolean {
  return score >= 0 && score <= 1
}

interface SeenOutput {
  readonly name: string
  readonly datatype: string
  readonly data: readonly unknown[]
}

/** The service may be any server that speaks the protocol: what is no output of it is left out, and then missed by name. */
function readOutputs(body: unknown): readonly SeenOutput[] {
  const outputs: unknown = typeof body === 'object' && body !== null && 'outputs' in body ? body.outputs : undefined
  if (!Array.isArray(outputs)) return []
  return outputs.flatMap((output: Partial<SeenOutput> | null): SeenOutput[] =>
    typeof output?.name === 'string' && Array.isArray(output.data)
      ? [{ name: output.name, datatype: String(output.datatype), data: output.data.flat(Infinity) }]
      : [],
  )
}

function judgeOutput({ name, data, tolerance }: ExpectedOutput, seen: readonly SeenOutput[]): Verdict {
  const output = seen.find((some) => some.name === name)
  if (output === undefined) {
    const names = seen.map((some) => some.name)
    return fail(`expected the output ${name}, got ${names.length === 0 ? 'no outputs' : names.join(', ')}`)
  }
  if (output.data.length !== data.length)
    return fail(`${name}: expected ${data.length} values, got ${output.data.length}`)
  const allowed = tolerance ?? (/^(FP|BF)/.test(output.datatype) ? usualTolerance : exact)
  const wrong = [...data.keys()].filter((at) => !isNear(data[at], output.data[at], allowed))
  const [first] = wrong
  if (first === undefined) return { passed: true, detail: `${name}: ${data.length} values as expected` }
  const place = data.length === 1 ? name : `${name}[${first}]`
  const rest = wrong.length === 1 ? '' : `; ${wrong.length} of ${data.length} values differ`
  return fail(`${place}: expected ${JSON.stringify(data[first])}, got ${JSON.stringify(output.data[first])}${rest}`)
}

function isNear(wanted: TensorElement | undefined, seen: unknown, { share, absolute }: Tolerance): boolean {
  if (typeof wanted !== 'number' || typeof seen !== 'number') return wanted === seen
  return Math.abs(seen - wanted) <= absolute + share * Math.abs(wanted)
}

function fail(detail: string): Verdict {
  return { passed: false, detail }
}
