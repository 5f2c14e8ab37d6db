import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { sampleClusterService, sealedDocument } from '../../test/kit/cluster-service-sample.ts'
import { canonicalJson } from '../base/canonical.ts'
import type { KubeObject } from '../kube/object.ts'
import { resolveClusterService } from '../spec/resolve/resolve-cluster-service.ts'
import { renderObjects } from './rendered-service.ts'

type Spec = ReturnType<typeof sealedDocument>['spec']

const render = (spec: Partial<Spec> = {}) => renderObjects(sampleClusterService(spec), { namespace: 'zoo' })
const kindsOf = (spec: Partial<Spec> = {}): string[] => render(spec).objects.map(({ kind = '' }) => kind)

function deploymentOf(spec: Partial<Spec> = {}) {
  const found = render(spec).objects.find(({ kind }) => kind === 'Deployment')
  assert.ok(found !== undefined)
  const deployment = found as KubeObject & Deployment // its kind has just been looked at
  const template = deployment.spec?.template
  const [container] = template?.spec?.containers ?? []
  assert.ok(template?.spec !== undefined && container !== undefined)
  return { deployment, template, pod: template.spec, container }
}

test('the smallest service is an account, its settings, a policy, a Service and a Deployment', () => {
  assert.deepEqual(kindsOf(), ['ServiceAccount', 'ConfigMap', 'NetworkPolicy', 'Service', 'Deployment'])
})

test('more replicas get a budget, a target that can be honoured an autoscaler, a gateway a route', () => {
  assert.ok(kindsOf({ replicas: 2 }).includes('PodDisruptionBudget'))
  assert.ok(!kindsOf({ replicas: 1 }).includes('PodDisruptionBudget'))
  const scaled = { autoscaling: { maxReplicas: 5, targets: { cpuPercent: 70 } }, resources: { cpu: 1 } }
  assert.ok(kindsOf(scaled).includes('HorizontalPodAutoscaler'))
  assert.ok(
    !kindsOf({ autoscaling: { maxReplicas: 5, targets: { concurrency: 4 } } }).includes('HorizontalPodAutoscaler'),
  )
  assert.ok(kindsOf({ expose: { gatewayRef: { name: 'public' } } }).includes('HTTPRoute'))
})

test('who scales by itself is not scaled back: the Deployment says no number', () => {
  const scaled = { autoscaling: { minReplicas: 2, maxReplicas: 5, targets: { memoryPercent: 70 } } }
  assert.equal('replicas' in (deploymentOf(scaled).deployment.spec ?? {}), false)
  assert.equal(deploymentOf({ replicas: 3 }).deployment.spec?.replicas, 3)
  const unhonoured = { autoscaling: { minReplicas: 2, maxReplicas: 5, targets: { concurrency: 4 } } }
  assert.equal(deploymentOf(unhonoured).deployment.spec?.replicas, 2)
})

test('the pod is killed only after it waited, answered and had a margin', () => {
  const { pod, container } = deploymentOf({ lifecycle: { drainTimeout: '20s' }, serving: { timeout: '12s' } })
  const waits = container.lifecycle?.preStop?.sleep?.seconds ?? 0
  assert.equal(waits, 5)
  assert.ok((pod.terminationGracePeriodSeconds ?? 0) >= waits + 20 + 1)
  const exposed = deploymentOf({ expose: { gatewayRef: { name: 'public' } } })
  assert.equal(exposed.container.lifecycle?.preStop?.sleep?.seconds, 20)
})

test('a start may take as long as the spec says', () => {
  const { startupProbe } = deploymentOf({ lifecycle: { startupTimeout: '95s' } }).container
  assert.ok((startupProbe?.failureThreshold ?? 0) * (startupProbe?.periodSeconds ?? 0) >= 95)
})

test('settings, exposure, labels and the number of replicas touch no pod', () => {
  const templateOf = (spec: Partial<Spec>): string => JSON.stringify(deploymentOf(spec).template)
  const plain = templateOf({})
  for (const spec of [
    { replicas: 9 },
    { rollout: { surge: 'Swap' as const } },
    { expose: { hostnames: ['a.example'] } },
  ])
    assert.equal(templateOf(spec), plain)
  const labelled = {
    ...sealedDocument(),
    metadata: { name: 'cats', labels: { team: 'a', 'towline.dev/service': 'x' } },
  }
  const { objects } = renderObjects(resolveClusterService(labelled), { namespace: 'zoo' })
  for (const { metadata } of objects) {
    assert.equal(metadata?.labels?.['team'], 'a')
    assert.equal(metadata.labels['towline.dev/service'], 'cats')
  }
})

test('the same service gives the same bytes, however its document was written', () => {
  const { spec, ...rest } = sealedDocument({ replicas: 2, resources: { cpu: 1, memory: '1Gi' } })
  const turned = { ...rest, spec: Object.fromEntries(Object.entries(spec).toReversed()) as Spec }
  const of = (document: ReturnType<typeof sealedDocument>): string =>
    JSON.stringify(renderObjects(resolveClusterService(document), { namespace: 'zoo' }))
  assert.equal(of(turned), of({ spec, ...rest }))
})

test('a GPU is asked for and limited alike, with its nodes and its toleration', () => {
  const { pod, container } = deploymentOf({ gpu: { count: 2, minMemory: '16Gi' } })
  assert.equal(container.resources?.limits?.['nvidia.com/gpu'], '2')
  assert.equal(container.resources.requests?.['nvidia.com/gpu'], '2')
  assert.ok(pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined)
  assert.ok(pod.tolerations?.some(({ key }) => key === 'nvidia.com/gpu'))
  assert.ok(container.volumeMounts?.some(({ mountPath }) => mountPath === '/dev/shm'))
})

test('a patch merges items by their names, adds others, and null takes away', () => {
  const patch = {
    spec: {
      priorityClassName: 'high',
      enableServiceLinks: null,
      containers: [
        { name: 'server', env: [{ name: 'A', value: '2' }], workingDir: '/tmp' },
        { name: 'sidecar', image: 'x' },
      ],
    },
    metadata: { annotations: { note: 'here' } },
  }
  const { template, pod, container } = deploymentOf({
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '1' },
    ],
    pod: { patch },
  })
  assert.equal(pod.priorityClassName, 'high')
  assert.equal('enableServiceLinks' in pod, false)
  assert.deepEqual(
    container.env?.map(({ name, value }) => `${name}=${value}`),
    ['A=2', 'B=1'],
  )
  assert.equal(container.workingDir, '/tmp')
  assert.ok(container.readinessProbe !== undefined)
  assert.equal(pod.containers[1]?.name, 'sidecar')
  assert.equal(template.metadata?.annotations?.['note'], 'here')
  assert.ok(template.metadata.annotations['towline.dev/model-digest'] !== undefined)
})

test('env is as written, and a secret only ever referred to', () => {
  const { container } = deploymentOf({
    env: [
      { name: 'LOG', value: 'info' },
      { name: 'HF', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } },
    ],
  })
  assert.deepEqual(container.env, [
    { name: 'LOG', value: 'info' },
    { name: 'HF', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } },
  ])
})

test('a revision is another one exactly when its pods are', () => {
  const other = `sha256:${'2'.repeat(64)}`
  const oneOf = <T>(...values: T[]) => fc.constantFrom(undefined, ...values)
  const fields = {
    image: oneOf(`registry.example/cats@${other}`),
    model: oneOf({ uri: 'image:///models', digest: other }),
    replicas: oneOf(1, 4),
    env: oneOf([{ name: 'A', value: '1' }], [{ name: 'A', value: '2' }]),
    serving: oneOf({ timeout: '5s' }, { timeout: '10s' }, { maxBatchSize: 4 }),
    resources: oneOf({ cpu: 2 }, { cpu: '1000m' }, { memory: '2Gi' }, { cpuLimit: 2 }),
    gpu: oneOf({ count: 1 }, { count: 1, minMemory: '16Gi' }),
    lifecycle: oneOf({ drainTimeout: '20s' }, { startupTimeout: '90s' }),
    rollout: oneOf({ surge: 'Swap' as const, revisionHistoryLimit: 3 }, { surge: 'Auto' as const }),
    autoscaling: oneOf({ maxReplicas: 5, targets: { memoryPercent: 70 } }),
    paused: oneOf(true),
    expose: oneOf(
      { hostnames: ['cats.example.com'], allowFrom: [{ podSelector: {} }] },
      { gatewayRef: { name: 'public' } },
    ),
    pod: oneOf({ nodeSelector: { disk: 'ssd' } }, { serviceAccountName: 'cats' }),
  }
  const specs = fc.record(fields)
  const written = (spec: object): Partial<Spec> =>
    Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined))
  const podsOf = (spec: object): string => {
    const { template } = deploymentOf(written(spec))
    const { 'towline.dev/revision': _, ...labels } = template.metadata?.labels ?? {}
    return canonicalJson({ ...template, metadata: { ...template.metadata, labels } })
  }
  const revisionOf = (spec: object): string => render(written(spec)).revision
  // Alike but for one field: pairs drawn apart are hardly ever the same.
  const pairs = fc.tuple(specs, specs, fc.constantFrom(...Object.keys(fields)))
  fc.assert(
    fc.property(pairs, ([spec, drawn, field]) => {
      const changed = { ...spec, [field]: drawn[field as keyof typeof drawn] }
      assert.equal(revisionOf(changed) === revisionOf(spec), podsOf(changed) === podsOf(spec), field)
    }),
  )
})
