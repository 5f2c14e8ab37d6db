import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleClusterService, sealedDocument } from '../../../../test/kit/cluster-service-sample.ts'
import { renderObjects } from '../../../render/rendered-service.ts'
import { replicaSettings } from '../../../render/replica-settings.ts'
import type { ReplicaConfig } from '../../../serve/replica-config.ts'
import { resolveService } from '../../../spec/resolve/resolve-service.ts'
import { describeSettings } from '../../image/replica-settings.ts'

test('what a cluster tells a replica is what its image would, but for the revision and how it ends', () => {
  const settings: ReplicaConfig = replicaSettings(sampleClusterService(), 'abc')
  const service = resolveService(sealedDocument(), { baseDir: '/', env: {}, apiKeys: [] })
  const ofImage = describeSettings(service, true)
  const { drainTimeoutMs, lingerMs = 0 } = settings
  assert.ok(lingerMs > 0)
  assert.deepEqual(settings, { ...ofImage, revision: 'abc', drainTimeoutMs, lingerMs })
})

test('the settings come to the pod as they are', () => {
  const { objects, revision } = renderObjects(sampleClusterService(), { namespace: 'zoo' })
  const map = objects.find(({ kind }) => kind === 'ConfigMap') as { data?: Record<string, string> } | undefined
  assert.deepEqual(JSON.parse(map?.data?.['replica.json'] ?? ''), replicaSettings(sampleClusterService(), revision))
})
