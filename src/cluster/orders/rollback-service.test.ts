import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import { openFakeCluster } from '../../../test/kit/fake-cluster.ts'
import { systemClock } from '../../base/clock.ts'
import { resources } from '../../kube/resources.ts'
import { managers, marks } from '../concerns.ts'
import { restartService } from './restart-service.ts'
import { rollbackService } from './rollback-service.ts'
import { writeVerdict } from './verdict.ts'

const { deployments, replicaSets } = resources
const cats = { namespace: 'default', name: 'cats' }

const env = (name: string) => ({ env: [{ name, value: '1' }], replicas: 2 })

const envOf = ({ spec }: Deployment): readonly string[] =>
  (spec?.template.spec?.containers[0]?.env ?? [])
    .map(({ name }) => name)
    .filter((name) => /^(ONE|TWO|THREE)$/.test(name))

const markOf = ({ spec }: Deployment): string | undefined => spec?.template.metadata?.annotations?.[marks.restartedAt]

test('the earlier pods come back as the spec says them, and a later apply takes away what they brought', async (t) => {
  const { client, deploy, readDeployment } = await openFakeCluster(t)
  await deploy(env('ONE'))
  await deploy(env('TWO'))
  const { from, to, nothing, label } = await rollbackService(client, cats)
  assert.deepEqual([from, to, nothing], [2, 1, null])
  const back = await readDeployment()
  assert.deepEqual([envOf(back), back.spec?.replicas], [['ONE'], 2])
  assert.equal(back.spec?.template.metadata?.labels?.['towline.dev/revision'], label)
  await deploy(env('TWO'))
  assert.deepEqual(envOf(await readDeployment()), ['TWO'])
})

test('the number of replicas stays with whoever set it', async (t) => {
  const { client, deploy, readDeployment } = await openFakeCluster(t)
  await deploy(env('ONE'))
  await deploy(env('TWO'))
  await rollbackService(client, cats)
  const { metadata } = await readDeployment()
  const owners = (metadata?.managedFields ?? []).filter(({ fieldsV1 }) =>
    JSON.stringify(fieldsV1).includes('f:replicas'),
  )
  assert.deepEqual(
    owners.filter(({ subresource }) => subresource === undefined).map(({ manager }) => manager),
    [managers.scale],
  )
})

test('when pods were restarted stays as it is', async (t) => {
  const { client, deploy, readDeployment } = await openFakeCluster(t)
  await deploy(env('ONE'))
  await deploy(env('TWO'))
  await restartService(client, { ...cats, clock: systemClock })
  const mark = markOf(await readDeployment())
  assert.equal((await rollbackService(client, cats)).to, 1)
  const back = await readDeployment()
  assert.deepEqual([envOf(back), markOf(back)], [['ONE'], mark])
  assert.ok(mark !== undefined)
})

test('out of a restart that does not get on: the pods from before it', async (t) => {
  const isNew = (pod: { metadata: { annotations?: object } }): boolean =>
    marks.restartedAt in (pod.metadata.annotations ?? {})
  const { client, server, deploy, readDeployment } = await openFakeCluster(t, {
    fate: (pod) => (isNew(pod) ? { phase: 'Pending' } : 'Ready'),
  })
  await deploy(env('ONE'))
  await restartService(client, { ...cats, clock: systemClock })
  assert.equal(server.objects.list(resources.pods).length, 4)
  assert.deepEqual((await rollbackService(client, cats)).nothing, null)
  assert.equal(markOf(await readDeployment()), undefined)
  assert.equal(server.objects.list(resources.pods).length, 2)
  // And the mark is nobody's now: a later restart sets it again.
  await restartService(client, { ...cats, clock: systemClock })
  assert.notEqual(markOf(await readDeployment()), undefined)
})

test('one that was given up is passed over, and gone to by its number', async (t) => {
  const { client, server, deploy, readDeployment } = await openFakeCluster(t)
  for (const name of ['ONE', 'TWO', 'THREE']) await deploy(env(name))
  const second = server.objects
    .list(replicaSets)
    .find(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'] === '2')
  await writeVerdict(client, second as unknown as ReplicaSet, 'Crashed: it crashes')
  assert.equal((await rollbackService(client, cats)).to, 1)
  assert.equal((await rollbackService(client, { ...cats, to: 2 })).to, 2)
  assert.deepEqual(envOf(await readDeployment()), ['TWO'])
})

test('what its pods would need and is gone is named, and nothing is written', async (t) => {
  const { client, server, deploy, readDeployment } = await openFakeCluster(t)
  await deploy(env('ONE'))
  const settings = server.objects.list(resources.configMaps).map(({ metadata }) => metadata.name)
  await deploy({ ...env('TWO'), serving: { maxBody: '3Mi' } })
  for (const name of settings) server.objects.remove(resources.configMaps, name)
  await assert.rejects(rollbackService(client, cats), {
    code: 'TL_ROLLOUT_REFUSED',
    detail: `revision 1 of cats needs ConfigMap ${settings[0]}, which is gone`,
  })
  assert.deepEqual(envOf(await readDeployment()), ['TWO'])
  // Whoever may not look is not kept from going back.
  server.forbid(({ plural }) => plural === 'configmaps')
  assert.equal((await rollbackService(client, cats)).to, 1)
})

test('a write in between that changes nothing of the question is no hindrance', async (t) => {
  const { client, server, deploy, readDeployment } = await openFakeCluster(t)
  await deploy(env('ONE'))
  await deploy(env('TWO'))
  const racing = {
    ...client,
    apply: (async (resource, object, query) => {
      const { status } = await readDeployment()
      if (server.requests.filter(({ verb }) => verb === 'patch').length % 2 === 0)
        server.objects.setStatus(deployments, 'cats', { ...status, collisionCount: Date.now() })
      return await client.apply(resource, object, query)
    }) as typeof client.apply,
  }
  assert.equal((await rollbackService(racing, cats)).to, 1)
  assert.deepEqual(envOf(await readDeployment()), ['ONE'])
})
