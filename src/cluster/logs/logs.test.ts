import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { StatusFailure } from '../../../test/kit/fake-api-server/objects/status-failure.ts'
import type { LogHandler } from '../../../test/kit/fake-api-server/http/relays.ts'
import { openFakeApiServer } from '../../../test/kit/fake-api-server/fake-api-server.ts'
import { systemClock } from '../../base/clock.ts'
import type { KubeObject } from '../../kube/object.ts'
import { openKubeClient } from '../../kube/open-kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { followLogs } from './follow-logs.ts'
import type { PodLine, Told } from './log-lines.ts'
import { readLogs } from './read-logs.ts'

const at = (second: number, text: string): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}.5Z ${text}\n`

async function begin(t: TestContext, logs: LogHandler, pods: readonly string[] = ['cats-a', 'cats-b']) {
  const server = await openFakeApiServer(t, { namespaces: ['ml'], logs })
  const add = (name: string): void => {
    server.objects.put(resources.pods, {
      metadata: { name, namespace: 'ml', labels: { 'towline.dev/service': 'cats' } },
      spec: { containers: [{ name: 'server', image: 'x' }] },
    } as KubeObject)
  }
  pods.forEach(add)
  const client = await openKubeClient({ kubeconfig: server.kubeconfig, namespace: 'ml' })
  t.after(() => client.close())
  return { server, client, add, of: { namespace: 'ml', name: 'cats' } }
}

const collect = async (lines: AsyncIterable<PodLine>): Promise<string[]> => {
  const told: string[] = []
  for await (const { pod, text } of lines) told.push(`${pod}: ${text}`)
  return told
}

test('lines of all pods come in the order of their times, those of one pod in their own', async (t) => {
  const { client, of } = await begin(t, ({ name }) =>
    name === 'cats-a' ? at(1, 'one') + at(3, 'three') + 'no time\n' : at(2, 'two') + at(4, 'four'),
  )
  assert.deepEqual(await collect(readLogs(client, of)), [
    'cats-a: one',
    'cats-b: two',
    'cats-a: three',
    'cats-a: no time',
    'cats-b: four',
  ])
  assert.deepEqual(await collect(readLogs(client, { ...of, tail: 2 })), ['cats-a: no time', 'cats-b: four'])
  assert.deepEqual(await collect(readLogs(client, { ...of, pod: 'cats-b' })), ['cats-b: two', 'cats-b: four'])
})

test('what is asked for is asked of the API server', async (t) => {
  const asked: string[] = []
  const { client, of } = await begin(t, ({ query }) => void asked.push(query.toString()), ['cats-a'])
  await collect(readLogs(client, { ...of, previous: true, tail: 5, sinceMs: Date.UTC(2026, 0, 1) }))
  assert.deepEqual(asked, [
    'container=server&timestamps=true&tailLines=5&sinceTime=2026-01-01T00%3A00%3A00.000Z&previous=true',
  ])
})

test('a service without pods, and a pod that is not of it, are told with what there is', async (t) => {
  const { client, of } = await begin(t, () => '')
  await assert.rejects(collect(readLogs(client, { ...of, name: 'dogs' })), {
    code: 'TL_SERVICE_UNKNOWN',
    message: /`dogs` has no pods in namespace ml/,
  })
  await assert.rejects(collect(readLogs(client, { ...of, pod: 'x' })), { message: /it has cats-a, cats-b/ })
})

test('followed are also pods that come later; a stream that breaks goes on without a line twice', async (t) => {
  const opened = new Map<string, number>()
  const { client, of, add } = await begin(
    t,
    ({ name }) => {
      const count = (opened.get(name) ?? 0) + 1
      opened.set(name, count)
      // The first stream ends after two lines; the next begins, as servers do, with the whole second of the last.
      return name === 'cats-a' && count === 1
        ? at(1, 'one') + at(2, 'two')
        : name === 'cats-a'
          ? at(2, 'two') + at(2, 'two and a half') + at(3, 'three')
          : at(9, 'late')
    },
    ['cats-a'],
  )
  const controller = new AbortController()
  const clock = { ...systemClock, sleep: async (_: number, signal?: AbortSignal) => await systemClock.sleep(5, signal) }
  const told: string[] = []
  await assert.rejects(async () => {
    for await (const { pod, text } of followLogs(client, { ...of, clock, signal: controller.signal })) {
      told.push(`${pod}: ${text}`)
      if (text === 'three') add('cats-b')
      if (text === 'late') setTimeout(() => controller.abort(new Error('enough')), 50)
    }
  })
  assert.deepEqual(told, ['cats-a: one', 'cats-a: two', 'cats-a: two and a half', 'cats-a: three', 'cats-b: late'])
})

test('of a pod with a container that was added to it, the server is read', async (t) => {
  const { server, client, of } = await begin(t, ({ container }) => at(1, `of ${container}`), [])
  server.objects.put(resources.pods, {
    metadata: { name: 'cats-a', namespace: 'ml', labels: { 'towline.dev/service': 'cats' } },
    spec: {
      containers: [
        { name: 'proxy', image: 'x' },
        { name: 'server', image: 'x' },
      ],
    },
  } as KubeObject)
  assert.deepEqual(await collect(readLogs(client, of)), ['cats-a: of server'])
})

test('a container that waits has written nothing; every other refusal is told', async (t) => {
  const { client, of } = await begin(t, ({ name }) => {
    if (name === 'cats-a')
      throw new StatusFailure(
        400,
        'BadRequest',
        'container "server" in pod "cats-a" is waiting to start: ContainerCreating',
      )
    return at(1, 'one')
  })
  assert.deepEqual(await collect(readLogs(client, of)), ['cats-b: one'])
  const odd = await begin(t, () => {
    throw new StatusFailure(400, 'BadRequest', 'container server is not valid for pod cats-a')
  })
  await assert.rejects(collect(readLogs(odd.client, odd.of)), /container server is not valid/)
})

test('a pod on a node that is lost is a note, and a failure where it is the only one', async (t) => {
  const lost: LogHandler = ({ name }) => {
    if (name === 'cats-a')
      throw new StatusFailure(500, 'InternalError', 'dial tcp 10.0.0.7:10250: connect: no route to host')
    return at(1, 'one')
  }
  const notes: string[] = []
  const onNote = (note: string): void => void notes.push(note)
  const two = await begin(t, lost)
  assert.deepEqual(await collect(readLogs(two.client, { ...two.of, onNote })), ['cats-b: one'])
  assert.match(notes.join(), /^cats-a cannot be read: .*no route to host/)
  const one = await begin(t, lost, ['cats-a'])
  await assert.rejects(collect(readLogs(one.client, { ...one.of, onNote })), { code: 'TL_CLUSTER_FAILED' })
})

test('following goes on for each pod where reading ended, whatever the clocks of their nodes say', async (t) => {
  // The node of the second pod is ten seconds behind.
  const first = { 'cats-a': at(20, 'a1') + at(20, 'a2'), 'cats-b': at(10, 'b1') }
  const later = { 'cats-a': at(20, 'a3') + at(21, 'a4'), 'cats-b': at(11, 'b2') }
  const { client, of } = await begin(t, ({ name, query }) => {
    const pod = name as keyof typeof first
    return query.has('follow') ? first[pod] + later[pod] : first[pod]
  })
  const told = new Map<string, Told>()
  assert.equal((await collect(readLogs(client, { ...of, tail: 1 }, told))).length, 1)
  const controller = new AbortController()
  const lines: string[] = []
  await assert.rejects(async () => {
    for await (const { pod, text } of followLogs(client, {
      ...of,
      told,
      clock: systemClock,
      signal: controller.signal,
    }))
      if (lines.push(`${pod}: ${text}`) === 3) controller.abort(new Error('enough'))
  })
  assert.deepEqual(lines.toSorted(), ['cats-a: a3', 'cats-a: a4', 'cats-b: b2'])
})

test('what nodes say of a container that has nothing to read yet is no failure', async (t) => {
  const said = [
    'container "server" in pod "cats-a" is not available',
    'container "server" in pod "cats-a" is waiting to start - no logs yet',
    'container "server" in pod "cats-a" is waiting to start: trying and failing to pull image',
    'container "server" in pod "cats-a" is terminated',
    'previous terminated container "server" in pod "cats-a" not found',
    'pod cats-a does not have a host assigned',
  ]
  const left = [...said]
  const { client, of } = await begin(t, () => {
    throw new StatusFailure(400, 'BadRequest', left.shift() ?? 'nothing is left')
  }, ['cats-a'])
  for (const _ of said) assert.deepEqual(await collect(readLogs(client, of)), [])
  await assert.rejects(collect(readLogs(client, of)), /nothing is left/)
})

test('after a node sets its clock back, and where a text comes twice in one moment, no line is lost', async (t) => {
  let count = 0
  const { client, of } = await begin(
    t,
    () => (++count === 1 ? at(20, 'a') : at(20, 'a') + at(20, 'a') + at(21, 'b') + at(5, 'set back') + at(21, 'b')),
    ['cats-a'],
  )
  const controller = new AbortController()
  const clock = { ...systemClock, sleep: async (_: number, signal?: AbortSignal) => await systemClock.sleep(5, signal) }
  const texts: string[] = []
  await assert.rejects(
    async () => {
      for await (const { text } of followLogs(client, { ...of, clock, signal: controller.signal }))
        if (texts.push(text) === 5) controller.abort(new Error('enough'))
    },
    { message: 'enough' },
  )
  assert.deepEqual(texts, ['a', 'a', 'b', 'set back', 'b'])
})

test('the word of a node that it has no log, which comes without a time, is told once', async (t) => {
  let count = 0
  const asked: (string | null)[] = []
  const { client, of } = await begin(
    t,
    ({ query }) => {
      asked.push(query.get('sinceTime'))
      const none = 'unable to retrieve container logs\n'
      return [none, none, none + at(1, 'one')][count++] ?? 'the log is gone\n'
    },
    ['cats-a'],
  )
  const controller = new AbortController()
  const clock = { ...systemClock, sleep: async (_: number, signal?: AbortSignal) => await systemClock.sleep(5, signal) }
  const texts: string[] = []
  await assert.rejects(
    async () => {
      for await (const { text } of followLogs(client, { ...of, clock, signal: controller.signal }))
        if (texts.push(text) === 3) controller.abort(new Error('enough'))
    },
    { message: 'enough' },
  )
  assert.deepEqual(texts, ['unable to retrieve container logs', 'one', 'the log is gone'])
  assert.deepEqual(asked.slice(0, 3), [null, null, null])
})

test('a pod that is not reached is tried again; a fault of ours ends the following at once', async (t) => {
  let count = 0
  const { client, of } = await begin(t, () => {
    if (++count < 3) throw new StatusFailure(500, 'InternalError', 'dial tcp 10.0.0.7:10250: connect: no route to host')
    return at(1, 'one')
  }, ['cats-a'])
  const clock = { ...systemClock, sleep: async (_: number, signal?: AbortSignal) => await systemClock.sleep(5, signal) }
  const query = { ...of, clock, signal: AbortSignal.timeout(5000) }
  for await (const { text } of followLogs(client, query)) {
    assert.equal(text, 'one')
    break
  }
  const faulty = { ...client, stream: () => Promise.reject(new TypeError('x is not a function')) }
  await assert.rejects(collect(followLogs(faulty, query)), TypeError)
})
