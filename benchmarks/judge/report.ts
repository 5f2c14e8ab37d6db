import { alarmRisk, proofRisk } from '../../src/decide/judge/judge.ts'
import { multiples } from './situations.ts'
import type { Row } from './tally.ts'

export function writeReport(rows: readonly Row[], { rollouts, seed }: { rollouts: number; seed: number }): string {
  const part = (name: Row['situation']['part']): readonly Row[] =>
    rows.filter(({ situation }) => situation.part === name)
  return `# The judge of a canary

Written by \`npm run simulate:judge -- --write\`; ${rollouts} rollouts for each figure, seed ${seed}. Why it is built so: [ADR 8](../adr/0008-judge.md).

The judge gets the answers, errors and slow answers of both revisions every 10 s. Tolerated is a share of at most \`max(ratio × the
stable revision's share, floor)\`. **Fail**: evidence against chance of ${1 / alarmRisk}, for each metric, that the candidate is above it. **Pass**: evidence of
${1 / proofRisk}, for each metric, that it is below, and its plain share is below too. **Inconclusive**: neither. **NoData**: it was asked nothing.
Errors in at least half of ten or more answers, in two windows in a row, fail at once.

All shares swing by ±50 % within 20 minutes, for both revisions alike, unless they are said to be a multiple of the bound. There are 9 stable
replicas. A stall makes all answers of one replica slow for 1 s, every 5 minutes on average; a restart makes them errors for 2 to 6 s, every 30 minutes. The ratio is 1.25.
Looked at after every window. *Least* is the time that no test can beat on average at the same risk, if each answer is bad by itself and nothing swings (Wald's bound).

## Healthy, one canary, watched for an hour

| metric, canary's part of the traffic | aborted |
|---|---|
${part('Healthy')
  .map(({ situation, parts }) => `| ${situation.name} | ${percent(parts.Aborted)} |`)
  .join('\n')}

## Worse than tolerated, 600 canary requests a minute, 10 % of all

Stable has 0.5 % errors.

| | aborted within an hour | median | least |
|---|---|---|---|
${part('Worse')
  .map(
    ({ situation, parts, medianMinutes }) =>
      `| ${situation.name} | ${percent(parts.Aborted)} | ${minutes(medianMinutes.Aborted)} | ${
        situation.scenario.turnsBadAtS === undefined && situation.scenario.stable.bursts.length === 0
          ? minutes(situation.boundMinutes)
          : ''
      } |`,
  )
  .join('\n')}

## Worse than tolerated, through the steps 5, 25 and 50 %

Promoted (aborted) within an hour; the rest is inconclusive. The candidate's share is the given multiple of what is tolerated at each moment.

| requests/min in all | bad answers | ${multiples.map((multiple) => `${multiple}×`).join(' | ')} |
|---|---|${multiples.map(() => '---|').join('')}
${grouped(part('Promotion'))
  .map(([first, ...more]) => {
    const cells = [first, ...more].map(({ parts }) => `${percent(parts.Promoted)} (${percent(parts.Aborted)})`)
    return `| ${first.situation.scenario.requestsPerMinute} | ${first.situation.name} | ${cells.join(' | ')} |`
  })
  .join('\n')}

## Healthy, through the steps 5, 25 and 50 %

A step takes at least 2 minutes and 200 canary requests, after 30 s that are left out, and goes on while the plain share is no worse than tolerated.

| requests/min in all | | promoted within an hour | aborted | inconclusive | median of the promoted | least |
|---|---|---|---|---|---|---|
${part('Rollout')
  .map(({ situation, parts, medianMinutes }) => {
    const outcome = [parts.Promoted, parts.Aborted, parts.Inconclusive].map(percent).join(' | ')
    const least = situation.boundMinutes === null ? 'over 60 min' : minutes(situation.boundMinutes)
    return `| ${situation.scenario.requestsPerMinute} | ${situation.name} | ${outcome} | ${minutes(medianMinutes.Promoted)} | ${least} |`
  })
  .join('\n')}
`
}

/** Rows of one line: they differ in the multiple alone. */
function grouped(rows: readonly Row[]): readonly (readonly [Row, ...Row[]])[] {
  const lines = Map.groupBy(rows, ({ situation }) => `${situation.scenario.requestsPerMinute} ${situation.name}`)
  return [...lines.values()].flatMap(([first, ...more]) => (first === undefined ? [] : [[first, ...more] as const]))
}

function percent(part: number): string {
  return part === 0 ? '0' : part === 1 ? '100 %' : `${(100 * part).toFixed(part < 0.1 ? 2 : 1)} %`
}

function minutes(value: number | null | undefined): string {
  return value === undefined ? '' : value === null ? '–' : `${value.toFixed(1)} min`
}
