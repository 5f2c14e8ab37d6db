/**
 * `npm run simulate:scaling [-- --load FILE.csv] [--out FILE.svg]`: replicas over time under synthetic loads, or under a recorded
 * one (`seconds,requestsPerSecond` a line), by the decisions the engine makes. The picture goes to `--out`, or to stdout.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { parseRecordedLoad, syntheticLoads } from './scaling/load.ts'
import { drawScaling } from './scaling/picture.ts'
import { simulatedService } from './scaling/service.ts'

const { values } = parseArgs({ options: { load: { type: 'string' }, out: { type: 'string' } } })
const loads =
  values.load === undefined
    ? syntheticLoads
    : [parseRecordedLoad(basename(values.load), readFileSync(values.load, 'utf8'))]
const picture = drawScaling(loads, simulatedService)
if (values.out === undefined) process.stdout.write(picture)
else writeFileSync(values.out, picture)
