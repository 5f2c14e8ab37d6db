import assert from 'node:assert/strict'
import type { ServiceStatus } from '../../../src/control/api.ts'
import { type Outcome, collect, start } from '../../kit/command.ts'
import { type BehaviourPlace, identify, isCalm, until } from './place.ts'
import { type Sentence, blue, stays, two } from './sentence.ts'

/** The same commands, led there by flags. */
export const commandSentences: readonly Sentence[] = [
  {
    name: 'the commands that look tell the same as JSON and to a person, and say nothing else',
    hold: async (place, service) => {
      await place.apply(service, two)
      await place.apply(service, blue)
      const now = await until(place, service, isCalm)
      const { services } = JSON.parse(await say(place, 'status', service, '--json')) as { services: ServiceStatus[] }
      assert.deepEqual(
        services.map(({ name, phase, revision, replicas }) => [name, phase, revision, replicas]),
        [[service, 'Ready', 2, { desired: 2, ready: 2 }]],
      )
      const shown = await say(place, 'status', service)
      for (const { name } of now.instances) assert.match(shown, new RegExp(`^ +${name} +Ready +2 `, 'm'))
      assert.match(await say(place, 'why', service), new RegExp(`^${service} is Ready: `))
      const history = await say(place, 'history', service)
      assert.match(history, /^ *2 +stable /im)
      assert.match(history, /^ *1 +earlier /im)
      const events = JSON.parse(await say(place, 'events', service, '--count', '2', '--json')) as unknown[]
      assert.equal(events.length, 2)
      const top = await say(place, 'top', service)
      const figures = new RegExp(`^.*${now.instances[0]?.name} .*$`, 'm').exec(top)?.[0] ?? ''
      assert.match(figures, place.ways.figures === 'Known' ? / \d+ +\d+ MB$/ : / Ready( +-){7}$/, top)
    },
  },
  {
    name: 'the commands that change something come back when it is done',
    hold: async (place, service) => {
      await place.apply(service, two)
      await say(place, 'scale', service, '1')
      const small = await until(place, service, () => true)
      assert.deepEqual([small.phase, small.replicas], ['Ready', { desired: 1, ready: 1 }])
      await say(place, 'restart', service)
      const restarted = await until(place, service, () => true)
      assert.deepEqual([restarted.phase, restarted.rollout, restarted.replicas.ready], ['Ready', null, 1])
      assert.notDeepEqual(identify(restarted), identify(small))
      await place.apply(service, blue)
      await say(place, 'rollback', service)
      assert.deepEqual(await place.readColours(service), ['red'])
      assert.match(await say(place, 'scale', service, '0'), /^ *idle /m)
      await say(place, 'scale', service, '1')
      const last = await until(place, service, isCalm)
      await say(place, 'down', service)
      assert.deepEqual(await place.listRest(last), [])
    },
  },
  {
    name: 'a command that cannot do it ends with its exit code and one sentence on the way out',
    hold: async (place, service) => {
      for (const command of ['status', 'why', 'history', 'events', 'restart', 'rollback', 'down']) {
        const { code, out, err } = await run(place, command, service)
        assert.deepEqual([command, code, out], [command, 3, ''])
        assert.match(err, new RegExp(`TL_SERVICE_UNKNOWN.*${service}[^]*${stays}`), command)
      }
      const both = await collect(start(['status', '--project', '.', '-n', 'elsewhere'], place))
      assert.deepEqual([both.code, both.out], [2, ''])
      assert.match(both.err, /TL_USAGE.*--project/)
    },
  },
]

async function run({ flags, env }: BehaviourPlace, ...args: readonly string[]): Promise<Outcome> {
  return await collect(start([...args, ...flags], { env }))
}

/** What it printed; the command has to do what it was told. */
async function say(place: BehaviourPlace, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await run(place, ...args)
  assert.equal(code, 0, `towline ${args.join(' ')}: ${err}`)
  return out
}
