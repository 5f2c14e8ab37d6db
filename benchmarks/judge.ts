/**
 * `npm run simulate:judge [-- --rollouts N --seed N --json --write]`: how often the judge of a canary is right, wrong or undecided,
 * in situations with known truth. To stdout, or with `--write` to `docs/reference/judge.md`.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { writeReport } from './judge/report.ts'
import { situations } from './judge/situations.ts'
import { playSituation } from './judge/tally.ts'

const { values } = parseArgs({
  options: {
    rollouts: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const rollouts = readCount('rollouts', values.rollouts, 1)
const seed = readCount('seed', values.seed, 0)

const rows = situations.map((situation, index) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${situations.length} `)
  return playSituation(situation, rollouts, seed)
})
if (process.stderr.isTTY) process.stderr.write('\n')
const report = writeReport(rows, { rollouts, seed })
if (values.write) writeFileSync(`${import.meta.dirname}/../docs/reference/judge.md`, report)
if (values.json) console.log(JSON.stringify(rows))
else if (!values.write) process.stdout.write(report)

function readCount(name: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > 1e8)
    throw new Error(`--${name} takes a whole number from ${least}, not ${JSON.stringify(text)}`)
  return value
}
