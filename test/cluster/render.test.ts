import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { writeManifests } from '../../src/cli/cluster/write-manifests.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { renderObjects } from '../../src/render/rendered-service.ts'
import type { ModelServiceDocument } from '../../src/spec/schema/model-service.ts'
import { resolveClusterService } from '../../src/spec/resolve/resolve-cluster-service.ts'
import { type Cluster, openCluster } from '../kit/cluster/open-cluster.ts'
import { openOnce } from '../kit/open-once.ts'
import { sealedDocument } from '../kit/cluster-service-sample.ts'

/** What is rendered, as `kubectl` and a real API server take it, in a namespace that enforces the `restricted` standard. */

const namespace = 'zoo'

/** Text that one or the other YAML reads as something else. */
const oddValues = [
  'on',
  'y',
  '0o7',
  '010',
  '12:30',
  '1_000',
  '1e3',
  '.5',
  '~',
  '=',
  '<<',
  '0x1F',
  '2020-01-01',
  '\u2028',
]

const services: Readonly<Record<string, Partial<ModelServiceDocument['spec']>>> = {
  smallest: {},
  complete: {
    replicas: 3,
    env: [
      { name: 'LOG', value: 'info' },
      { name: 'HF', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } },
      { name: 'REGION', valueFrom: { configMapKeyRef: { name: 'places', key: 'region' } } },
    ],
    resources: { cpu: 1.5, memory: '1Gi', cpuLimit: 2 },
    pod: {
      serviceAccountName: 'default',
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { pool: 'a' },
      tolerations: [{ key: 'x', operator: 'Exists', effect: 'NoSchedule' }],
      volumes: [{ name: 'work', emptyDir: {} }],
      mounts: [{ name: 'work', mountPath: '/work' }],
      patch: {
        spec: { terminationMessagePath: null, shareProcessNamespace: true },
        metadata: { annotations: { a: 'b' } },
      },
    },
    expose: {
      hostnames: ['cats.example'],
      gatewayRef: { name: 'public', namespace: 'gateways' },
      allowFrom: [{ podSelector: { matchLabels: { app: 'shop' } } }],
    },
  },
  scaled: {
    autoscaling: {
      minReplicas: 2,
      maxReplicas: 5,
      targets: { cpuPercent: 70, memoryPercent: 80 },
      behavior: { scaleDown: { stabilizationWindowSeconds: 60, tolerance: 0.05 } },
    },
    resources: { cpu: 1, memory: '1Gi' },
  },
  gpu: { gpu: { count: 2, minMemory: '16Gi', minComputeCapability: '8.0' } },
  mig: { gpu: { mig: '1g.10gb' } },
  swap: { replicas: 2, rollout: { surge: 'Swap' } },
  recreate: { rollout: { surge: 'Recreate' } },
  odd: { env: oddValues.map((value, index) => ({ name: `ODD_${index}`, value })) },
}

/** Without the route: its kind is of an API that this cluster does not have. */
function renderAs(name: string): readonly KubeObject[] {
  const service = resolveClusterService({ ...sealedDocument(services[name]), metadata: { name } })
  return renderObjects(service, { namespace }).objects.filter(({ kind }) => kind !== 'HTTPRoute')
}

describe('rendered services on a real API server', () => {
  let cluster: Cluster

  const it = openOnce(60_000, async (scope) => {
    const opened = await openCluster(scope, { kwok: false })
    if (opened === undefined) return
    cluster = opened
    const labels = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    }
    await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }])
  })

  const apply = async (objects: readonly KubeObject[], ...flags: readonly string[]) =>
    cluster.kubectl(['apply', '--server-side', '--validate=strict', ...flags, '-f', '-'], writeManifests(objects))

  for (const name of Object.keys(services)) {
    it(`${name}: every field is known, and nothing is warned of`, async () => {
      const done = await apply(renderAs(name), '--dry-run=server')
      assert.equal(done.err.trim(), '')
    })

    it(`${name}: applied again, nothing is written`, async () => {
      const objects = renderAs(name)
      await apply(objects)
      const before = await readWritten(cluster, name)
      assert.equal(before.length, objects.length)
      await apply(objects)
      assert.deepEqual(await readWritten(cluster, name), before)
    })
  }

  it('pods are made of them, none is refused', async () => {
    await apply(renderAs('smallest'))
    const wait = ['wait', 'replicaset', '-n', namespace, '-l', 'towline.dev/service=smallest', '--timeout=30s']
    await cluster.kubectl(['wait', 'deployment/smallest', '-n', namespace, '--for=create', '--timeout=30s'])
    await cluster.kubectl([...wait, '--for=jsonpath={.status.replicas}=1'])
  })

  it('text of odd form arrives as written', async () => {
    await apply(renderAs('odd'))
    const found = await cluster.kubectl(['get', 'deployment', 'odd', '-n', namespace, '-o', 'json'])
    const { spec } = JSON.parse(found.out) as {
      spec: { template: { spec: { containers: { env: { value?: string }[] }[] } } }
    }
    assert.deepEqual(
      spec.template.spec.containers[0]?.env.map(({ value }) => value),
      oddValues,
    )
  })
})

const writtenByControllers = ['Deployment', 'PodDisruptionBudget', 'HorizontalPodAutoscaler']

/** The version of each object; of those that have a status, what only whoever applies them changes. */
async function readWritten(cluster: Cluster, name: string): Promise<readonly string[]> {
  const kinds =
    'serviceaccounts,configmaps,networkpolicies,services,deployments,poddisruptionbudgets,horizontalpodautoscalers'
  const select = ['-n', namespace, '-l', `towline.dev/service=${name}`]
  const { out } = await cluster.kubectl(['get', kinds, ...select, '-o', 'json'])
  const { items } = JSON.parse(out) as {
    items: { kind: string; metadata: { generation?: number; resourceVersion: string }; spec?: unknown }[]
  }
  return items.map(({ kind, metadata: { generation, resourceVersion }, spec }) =>
    writtenByControllers.includes(kind)
      ? `${kind} ${generation ?? '-'} ${JSON.stringify(spec)}`
      : `${kind} ${resourceVersion}`,
  )
}
