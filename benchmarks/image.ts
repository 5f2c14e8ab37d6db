/**
 * `npm run bench:image [-- --rounds N --json]`: what a push sends after small changes to the example, and how long a rebuild takes
 * against `docker build` of the generated Dockerfile. Everything is fetched from loopback. As root, with what `scripts/setup-peers`
 * installs; some minutes.
 */
import { parseArgs } from 'node:util'
import { formatBytes } from '../src/base/display.ts'
import { type Figure, machine, median, summarize } from './figures.ts'
import {
  type BuildTimes,
  type BuilderName,
  type Seconds,
  type Task,
  builders,
  measureBuildTimes,
  tasks,
} from './image/build-times.ts'
import { type SentAfter, measureSentBytes } from './image/sent-bytes.ts'
import { openWorkplace } from './image/workplace.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, json: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds)
const say = (text: string): void => void process.stderr.write(`${text}\n`)
const titles: Readonly<Record<BuilderName, string>> = {
  towline: 'towline build',
  classic: 'docker build, classic builder',
  buildkit: 'docker build, BuildKit',
}

const headings: Readonly<Record<Task, string>> = {
  edited: 'a rebuild after one line of code',
  unchanged: 'a rebuild after nothing',
  pushed: 'a rebuild and push after one line of code',
}

const ends: (() => unknown)[] = []
try {
  const workplace = await openWorkplace({
    after: (end) => void ends.push(end),
    skip: (reason) => {
      throw new Error(reason)
    },
  })
  const { out: docker } = await workplace.daemon.docker(['version', '--format', '{{.Server.Version}}'])
  say('  building and pushing')
  const sent = await measureSentBytes(workplace)
  const times = await measureBuildTimes(workplace, rounds, say)
  print(sent, times, docker.trim())
} finally {
  for (const end of ends.toReversed()) await end()
}

function print(sent: readonly SentAfter[], times: BuildTimes, docker: string): void {
  const compared = tasks.map((task) => ({ task, builders: compare(times.rounds[task]) }))
  if (values.json)
    return console.log(JSON.stringify({ machine, docker, rounds, sent, compared, cold: times.cold }, undefined, 2))
  console.log('sent by `towline build --push` after a change of')
  const row = (change: string, image: string, wire: string, layers: string): void =>
    console.log(`  ${change.padEnd(32)}${image.padEnd(14)}${wire.padEnd(14)}${layers}`)
  row('', 'of the image', 'on the wire', 'layers, beside config and manifest')
  for (const { change, layers, imageBytes, wireBytes } of sent)
    row(change, formatBytes(imageBytes), formatBytes(wireBytes), layers.join(', ') || 'none')
  console.log(`  the whole image has ${formatBytes(sent.at(-1)?.wholeBytes ?? NaN)}`)
  for (const { task, builders: rows } of compared) {
    console.log(`\n${headings[task]}; seconds, median of ${rounds} rounds [lowest, highest]`)
    for (const { builder, seconds, ratio } of rows)
      console.log(
        `  ${titles[builder].padEnd(32)}${show(seconds).padEnd(24)}${builder === 'towline' ? '' : `towline divided by it: ${show(ratio)}`}`.trimEnd(),
      )
  }
  console.log('\na first build with the packages at hand (docker build --no-cache), once')
  for (const builder of builders) console.log(`  ${titles[builder].padEnd(32)}${times.cold[builder].toFixed(1)}`)
  console.log(`  ${machine}, Docker ${docker}; on shared machines 5 % are noise`)
}

interface Compared {
  readonly builder: BuilderName
  readonly seconds: Figure
  /** Towline's time divided by this builder's: of the medians; lowest and highest of one round. */
  readonly ratio: Figure
}

function compare(list: readonly Seconds[]): readonly Compared[] {
  const of = (builder: BuilderName): readonly number[] => list.map((seconds) => seconds[builder])
  return builders.map((builder) => ({
    builder,
    seconds: summarize(of(builder)),
    ratio: {
      ...summarize(list.map((seconds) => seconds.towline / seconds[builder])),
      median: median(of('towline')) / median(of(builder)),
    },
  }))
}

function show({ median: middle, lowest, highest }: Figure): string {
  return `${middle.toFixed(2)} [${lowest.toFixed(2)}, ${highest.toFixed(2)}]`
}
