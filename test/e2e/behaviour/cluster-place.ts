import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Pod } from 'kubernetes-types/core/v1.js'
import { systemClock } from '../../../src/base/clock.ts'
import { deployService } from '../../../src/cluster/deploy/deploy-service.ts'
import { prepareDeploy } from '../../../src/cluster/plan/prepare-deploy.ts'
import { createClusterControl } from '../../../src/control/cluster/cluster-control.ts'
import { openKubeClient } from '../../../src/kube/open-kube-client.ts'
import { resources } from '../../../src/kube/resources.ts'
import { renderObjects } from '../../../src/render/rendered-service.ts'
import type { ClusterService } from '../../../src/spec/cluster-service.ts'
import { resolveClusterService } from '../../../src/spec/resolve/resolve-cluster-service.ts'
import { sealedDocument } from '../../kit/cluster-service-sample.ts'
import { openCluster } from '../../kit/cluster/open-cluster.ts'
import { type BehaviourPlace, type Wish, isCalm, until } from './place.ts'

const namespace = 'behaviour'
const deployLimitMs = 60_000
const kinds =
  'deployments,replicasets,pods,services,configmaps,serviceaccounts,poddisruptionbudgets,networkpolicies,horizontalpodautoscalers'

/** A real control plane whose nodes and pods KWOK plays. Undefined when the test was skipped. */
export async function openClusterPlace(t: TestContext): Promise<BehaviourPlace | undefined> {
  const cluster = await openCluster(t)
  if (cluster === undefined) return undefined
  await cluster.applyNodes([{ name: 'node-a' }, { name: 'node-b' }])
  await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
  const client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace })
  const control = createClusterControl(client, systemClock)
  t.after(() => control.close())
  return {
    control,
    ways: {
      rollback: 'NewNumber',
      rejectedAgain: 'Tried',
      givenUp: 'Ready',
      steps: 'Refused',
      figures: 'Unknown',
      lacks: { answers: 'no bytes flow to pods that KWOK plays' },
    },
    flags: ['--context', client.context, '-n', namespace],
    env: { KUBECONFIG: cluster.kubeconfig },
    apply: async (name, wish) => {
      const service = resolveService(name, wish)
      const target = { client, service, rendered: renderObjects(service, { namespace }) }
      const prepared = await prepareDeploy(target)
      assert.deepEqual(prepared.plan.refusals, [])
      const signal = AbortSignal.timeout(deployLimitMs)
      await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
      await until({ control }, name, isCalm)
    },
    readColours: async (name) => {
      await until({ control }, name, isCalm)
      const { items } = await client.list<Pod>(resources.pods, {
        namespace,
        labelSelector: `towline.dev/service=${name}`,
      })
      return items.map(({ spec }) => spec?.containers[0]?.env?.find((each) => each.name === 'COLOUR')?.value ?? '')
    },
    listRest: async ({ name }) => {
      const { out } = await cluster.kubectl([
        'get',
        kinds,
        '-n',
        namespace,
        '-l',
        `towline.dev/service=${name}`,
        '-o',
        'name',
      ])
      return out.split('\n').filter((line) => line !== '')
    },
  }
}

const crash = { 'towline.test/crash': 'true' }

/** A look is made once a second, so that a start takes at least as long. */
function resolveService(name: string, { colour, isBroken = false, ...spec }: Wish): ClusterService {
  const document = sealedDocument({
    resources: { cpu: '100m', memory: '64Mi' },
    ...(colour === undefined ? {} : { env: [{ name: 'COLOUR', value: colour }] }),
    pod: { patch: { metadata: { annotations: { 'towline.test/start': '1s', ...(isBroken ? crash : {}) } } } },
    ...spec,
  })
  return resolveClusterService({ ...document, metadata: { name } })
}
