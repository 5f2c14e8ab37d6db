import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { renderDuration } from '../../base/duration.ts'
import type { Finding } from '../source/finding.ts'
import type { Path } from '../source/positioned-node.ts'
import type { DocumentView } from './document-view.ts'

/** Fewer prove nothing: one slow answer would decide. */
const leastRequests = 20
const longestLoadMs = 3_600_000
/** The longest time that is measured. */
const longestLatencyMs = 120_000
const fields = ['label', 'minPercent', 'status', 'outputs']

/** What the schema of a `ModelTest` cannot say. */
export function checkTestPlan(view: DocumentView, baseDir: string): Finding[] {
  const findings: Finding[] = []
  const inferences = view.listAt('inferences')
  if (inferences.length === 0 && !view.has('load'))
    findings.push({ code: 'TL_TEST_EXPECT', path: [], message: 'nothing is checked; add `inferences` or `load`' })
  for (const index of inferences.keys()) {
    findings.push(
      ...checkExpectation(view, ['inferences', index, 'expect']),
      ...checkInput(view, ['inferences', index, 'input'], baseDir),
    )
  }
  return [...findings, ...checkInput(view, ['load', 'input'], baseDir), ...checkLoad(view)]
}

function checkExpectation(view: DocumentView, path: Path): Finding[] {
  const refuse = (at: Path, message: string): Finding => ({ code: 'TL_TEST_EXPECT', path: at, message })
  // A misspelt key is told by the shape check; what would follow from it is not worth telling.
  if (view.keysAt(...path).some((key) => !fields.includes(key))) return []
  const kinds = ['label', 'status', 'outputs'].filter((kind) => view.has(...path, kind))
  const findings: Finding[] = []
  if (view.has(...path) && kinds.length !== 1) {
    const seen = kinds.length === 0 ? 'nothing' : kinds.join(' and ')
    findings.push(refuse(path, `\`expect\` names ${seen}; give exactly one of label, status, outputs`))
  }
  if (view.has(...path, 'minPercent') && !kinds.includes('label'))
    findings.push(refuse([...path, 'minPercent'], '`minPercent` is the score of a `label`, which is not given'))
  for (const index of view.listAt(...path, 'outputs').keys()) {
    const output = [...path, 'outputs', index]
    const words = new Set(view.listAt(...output, 'data').map((value) => typeof value))
    if (words.size > 1)
      findings.push(refuse([...output, 'data'], `\`data\` mixes ${[...words].join(' and ')}; a tensor has one type`))
    for (const field of ['tolerance', 'tolerancePercent'])
      if (view.has(...output, field) && !words.has('number'))
        findings.push(refuse([...output, field], `\`${field}\` means something for numbers only`))
  }
  return findings
}

function checkInput(view: DocumentView, path: Path, baseDir: string): Finding[] {
  const name = view.textAt(...path)
  // The shape check says what is wrong with it.
  if (name === undefined || name === '' || name.includes('\0')) return []
  const place = resolve(baseDir, name)
  if (isFile(place)) return []
  return [{ code: 'TL_TEST_INPUT', path, message: `\`${name}\` is no file that is there (looked at ${place})` }]
}

function checkLoad(view: DocumentView): Finding[] {
  const findings: Finding[] = []
  const refuse = (field: string, message: string): void => {
    findings.push({ code: 'TL_SPEC_LIMIT', path: ['load', field], message })
  }
  const rate = view.numberAt('load', 'requestsPerSecond')
  const durationMs = view.durationMsAt('load', 'duration')
  const p99Ms = view.durationMsAt('load', 'p99')
  if (durationMs !== undefined && durationMs > longestLoadMs)
    refuse('duration', `the load lasts ${renderDuration(durationMs)}; the most is 1h`)
  const count = rate === undefined || durationMs === undefined ? leastRequests : (rate * durationMs) / 1000
  if (count < leastRequests)
    refuse('duration', `the load is ${Math.floor(count)} requests in all; fewer than ${leastRequests} prove nothing`)
  if (p99Ms !== undefined && (p99Ms === 0 || p99Ms > longestLatencyMs))
    refuse('p99', `\`p99\` is ${renderDuration(p99Ms)}; it must be above 0 and at most 2m`)
  return findings
}

export function isFile(place: string): boolean {
  // A path too long for the system is one that does not exist.
  try {
    return statSync(place, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    return false
  }
}
