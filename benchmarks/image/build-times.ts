import type { Workplace } from './workplace.ts'

export const builders = ['towline', 'classic', 'buildkit'] as const
export type BuilderName = (typeof builders)[number]

/** What is timed in each round: a rebuild after one line of code, after nothing, and after one line until it is pushed. */
export const tasks = ['edited', 'unchanged', 'pushed'] as const
export type Task = (typeof tasks)[number]

/** From the start of the command to its end; of two where Docker builds and pushes. */
export type Seconds = Readonly<Record<BuilderName, number>>

export interface BuildTimes {
  /** By round. */
  readonly rounds: Readonly<Record<Task, readonly Seconds[]>>
  /** Once: without what builders remember of earlier builds. */
  readonly cold: Seconds
}

/** What each made: a digest or an id. */
type Images = Readonly<Record<BuilderName, string>>

/** The builders take turns in each round, each with caches as warm as they get; a round before the first is not counted. */
export async function measureBuildTimes(
  workplace: Workplace,
  rounds: number,
  say: (text: string) => void,
): Promise<BuildTimes> {
  await workplace.writeDockerfile()
  const samples: Record<Task, Seconds[]> = { edited: [], unchanged: [], pushed: [] }
  let known: Images = { towline: '', classic: '', buildkit: '' }
  for (let round = 0; round <= rounds; round++) {
    const fetched = workplace.mirror.requests.length
    for (const task of tasks) {
      if (task !== 'unchanged') workplace.editCode(`// round ${round}, ${task}\n`)
      const { seconds, images } = await timeAll(workplace, task, round)
      checkImages(task, known, images)
      known = images
      if (round > 0) samples[task].push(seconds)
    }
    say(round === 0 ? '  warmed up' : `  round ${round} of ${rounds}`)
    if (round > 0 && workplace.mirror.requests.length > fetched) throw new Error('a builder fetched packages again')
  }
  workplace.forgetBuilds()
  return { rounds: samples, cold: (await timeAll(workplace, 'cold', 0)).seconds }
}

/** A time says something only of a builder that saw the edit, and made nothing new without one. */
function checkImages(task: Task, before: Images, after: Images): void {
  for (const builder of builders)
    if ((before[builder] === after[builder]) !== (task === 'unchanged'))
      throw new Error(`${builder} made ${after[builder]} after ${before[builder]}, and the code was ${task}`)
}

async function timeAll(
  workplace: Workplace,
  task: Task | 'cold',
  turn: number,
): Promise<{ readonly seconds: Seconds; readonly images: Images }> {
  const { host } = workplace.registry
  const docker = (name: string, buildKit: boolean): Promise<string> =>
    workplace.buildWithDocker({ tag: `${host}/${name}:1`, buildKit, cache: task !== 'cold', push: task === 'pushed' })
  const build: Readonly<Record<BuilderName, () => Promise<string>>> = {
    towline: async () => (await workplace.build(task === 'pushed' ? ['--push', `${host}/towline:1`] : [])).digest,
    classic: () => docker('classic', false),
    buildkit: () => docker('buildkit', true),
  }
  const seconds = { towline: NaN, classic: NaN, buildkit: NaN }
  const images = { towline: '', classic: '', buildkit: '' }
  for (const at of builders.keys()) {
    const builder = builders[(turn + at) % builders.length] ?? 'towline'
    const startMs = performance.now()
    images[builder] = await build[builder]()
    seconds[builder] = (performance.now() - startMs) / 1000
  }
  return { seconds, images }
}
