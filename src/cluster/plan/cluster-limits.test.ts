import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleClusterService } from '../../../test/kit/cluster-service-sample.ts'
import { renderObjects } from '../../render/rendered-service.ts'
import type { ModelServiceDocument } from '../../spec/schema/model-service.ts'
import { type ClusterFacts, listMissingKinds, listWarnings } from './cluster-limits.ts'

const facts = (minor: number, more: Partial<ClusterFacts> = {}): ClusterFacts => ({
  version: { minor, gitVersion: `v1.${minor}.0` },
  hasMetrics: true,
  hasGateways: true,
  ...more,
})
const render = (spec: Partial<ModelServiceDocument['spec']> = {}) =>
  renderObjects(sampleClusterService(spec), { namespace: 'ml' }).objects

test('a cluster that honours everything is not spoken of', () => {
  const behavior = { scaleDown: { tolerance: 0.05 } }
  const objects = render({ autoscaling: { minReplicas: 1, maxReplicas: 3, targets: { cpuPercent: 70 }, behavior } })
  assert.deepEqual(listWarnings(objects, facts(35)), [])
  assert.match(listWarnings(objects, facts(34)).join(), /tolerance .* needs Kubernetes 1\.35, and this is v1\.34\.0/)
})

test('an old cluster that passes over what zero loss rests on is told', () => {
  assert.match(listWarnings(render(), facts(29)).join(), /preStop sleep needs Kubernetes 1\.30.*expect lost requests/)
  assert.equal(listWarnings(render(), facts(26)).length, 2)
})

test('an autoscaler without figures is told with the way out, a fixed number is not', () => {
  const objects = render({ autoscaling: { minReplicas: 1, maxReplicas: 3, targets: { cpuPercent: 70 } } })
  assert.match(
    listWarnings(objects, facts(35, { hasMetrics: false })).join(),
    /install metrics-server, or .*`replicas`/,
  )
  assert.deepEqual(listWarnings(render(), facts(35, { hasMetrics: false })), [])
})

test('a route without Gateway API is refused before anything is written', () => {
  const objects = render({ expose: { gatewayRef: { name: 'public' }, hostnames: ['cats.example'] } })
  assert.deepEqual(listMissingKinds(objects, facts(35)), [])
  assert.deepEqual(
    listMissingKinds(objects, facts(35, { hasGateways: false })).map(({ code, hint }) => [
      code,
      /gatewayRef/.test(hint ?? ''),
    ]),
    [['TL_CLUSTER_REFUSED', true]],
  )
})
