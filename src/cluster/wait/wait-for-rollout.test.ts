import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openFakeApiServer } from '../../../test/kit/fake-api-server/fake-api-server.ts'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { openKubeClient } from '../../kube/open-kube-client.ts'
import { resources } from '../../kube/resources.ts'
import type { ClusterObservation } from '../observation.ts'
import { waitForRollout } from './wait-for-rollout.ts'

const revision = 'aaaaaaaaaa'

async function openRecorded(t: TestContext, name: string) {
  const file = join(import.meta.dirname, `../explain/recorded/${name}.json`)
  const look = JSON.parse(readFileSync(file, 'utf8')) as ClusterObservation
  const server = await openFakeApiServer(t, { namespaces: ['ml'] })
  const put = (resource: Resource, objects: readonly KubeObject[]): void => {
    for (const object of objects)
      server.objects.put(resource, { ...object, metadata: { namespace: 'ml', ...object.metadata } })
  }
  put(resources.deployments, look.deployment === undefined ? [] : [look.deployment])
  // The recordings leave out what a ReplicaSet has from its Deployment.
  const spec = look.deployment?.spec?.template.spec
  put(
    resources.replicaSets,
    look.replicaSets.map((set) => ({
      ...set,
      spec: { ...set.spec, template: { ...set.spec?.template, spec } },
    })),
  )
  put(resources.pods, look.pods)
  put(resources.services, look.service === undefined ? [] : [look.service])
  put(resources.endpointSlices, look.endpoints)
  put(resources.resourceQuotas, look.quotas)
  put(resources.events, look.events)
  const client = await openKubeClient({ kubeconfig: server.kubeconfig, namespace: 'ml' })
  t.after(() => client.close())
  let nowMs = look.atMs
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms
    },
  }
  const wait = { client, namespace: 'ml', name: 'cats', revision, clock, signal: new AbortController().signal }
  return { server, look, wait }
}

test('a revision that serves is ready at the first look', async (t) => {
  const { wait } = await openRecorded(t, 'ready')
  const words: string[] = []
  const end = await waitForRollout({ ...wait, onLook: (progress) => words.push(progress.words) })
  assert.equal(end.kind, 'Ready')
  assert.deepEqual(words, ['2 of 2 replicas are ready'])
})

test('a cause that will not mend itself ends the wait within seconds', async (t) => {
  const { wait } = await openRecorded(t, 'secret-missing')
  const end = await waitForRollout(wait)
  assert.ok(end.kind === 'Failed')
  assert.equal(end.cause.reason, 'SecretMissing')
  assert.equal(end.tookMs, 3000)
})

test('what may pass is waited for until the time is over', async (t) => {
  const { wait } = await openRecorded(t, 'not-ready-503')
  const end = await waitForRollout({ ...wait, timeoutMs: 20_000 })
  assert.ok(end.kind === 'Late')
  assert.deepEqual([end.cause?.reason, end.tookMs], ['NotReady', 20_000])
})

test('a pod that no node takes ends the wait, but where somebody adds nodes', async (t) => {
  const { wait } = await openRecorded(t, 'selector')
  assert.equal((await waitForRollout(wait)).kind, 'Failed')
  const again = await openRecorded(t, 'selector')
  const end = await waitForRollout({ ...again.wait, expectNodes: true, timeoutMs: 60_000 })
  assert.ok(end.kind === 'Late')
  assert.deepEqual([end.cause?.reason, end.tookMs], ['Tainted', 60_000])
})

test('the trouble of an earlier revision does not end the wait for a new one', async (t) => {
  const { wait, server, look } = await openRecorded(t, 'secret-missing')
  const deployment = structuredClone(look.deployment ?? {})
  Object.assign(deployment.spec?.template.metadata?.labels ?? {}, { 'towline.dev/revision': 'bbbbbbbbbb' })
  server.objects.put(resources.deployments, deployment)
  const end = await waitForRollout({ ...wait, revision: 'bbbbbbbbbb', timeoutMs: 10_000 })
  assert.equal(end.kind, 'Late')
})

test('somebody else who asks for another revision ends the wait', async (t) => {
  const { wait } = await openRecorded(t, 'ready')
  await assert.rejects(
    waitForRollout({ ...wait, revision: 'cccccccccc' }),
    (error) => error instanceof TowlineError && error.code === 'TL_CLUSTER_CONFLICT' && /aaaaaaaaaa/.test(error.detail),
  )
})

test('kinds that may not be seen are told, and the wait goes on without them', async (t) => {
  const { wait, server } = await openRecorded(t, 'ready')
  server.forbid(({ plural }) => plural === 'endpointslices' || plural === 'events')
  const end = await waitForRollout(wait)
  assert.ok(end.kind === 'Ready')
  assert.deepEqual(
    end.observation.unseen.map(({ what }) => what),
    ['EndpointSlices'],
  )
})

test('an API server that is gone for a moment is waited out, and the wait says so', async (t) => {
  const { wait, server } = await openRecorded(t, 'ready')
  const fault = server.faults.add({ when: { plural: 'pods' }, times: Infinity, does: { kind: 'Reset' } })
  const words: string[] = []
  const end = await waitForRollout({
    ...wait,
    onLook: (progress) => {
      words.push(progress.words)
      fault.remove()
    },
  })
  assert.equal(end.kind, 'Ready')
  assert.match(words[0] ?? '', /^the API server does not answer: /)
})

test('an API server that stays away ends the wait', async (t) => {
  const { wait } = await openRecorded(t, 'ready')
  const gone = async (): Promise<never> => {
    throw new TowlineError('TL_CLUSTER_UNREACHABLE', 'connection refused')
  }
  await assert.rejects(
    waitForRollout({ ...wait, client: { ...wait.client, get: gone } }),
    (error) => error instanceof TowlineError && error.code === 'TL_CLUSTER_UNREACHABLE',
  )
})
