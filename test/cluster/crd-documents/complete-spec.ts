import type { ModelServiceDocument } from '../../../src/spec/schema/model-service.ts'
import { sealedDocument } from '../../kit/cluster-service-sample.ts'

/** Fields whose values a deployment honours, all of them right. */
export const completeSpec: Partial<ModelServiceDocument['spec']> = {
  paused: false,
  model: { ...sealedDocument().spec.model, format: 'onnx', name: 'efficientnet', delivery: 'Image' },
  runtime: { onnx: { threads: 0 } },
  build: { base: 'debian' },
  env: [
    { name: 'LOG_LEVEL', value: 'info' },
    { name: 'HF_TOKEN', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } },
  ],
  serving: { timeout: '10s', maxBody: '64Mi', maxQueuedRows: 256, batching: { mode: 'Disabled' } },
  resources: { cpu: 1.5, memory: '1Gi', cpuLimit: 2 },
  gpu: { count: 1, minMemory: '16Gi', minComputeCapability: '8.0', sharing: 'Exclusive' },
  autoscaling: {
    minReplicas: 2,
    maxReplicas: 10,
    targets: { cpuPercent: 70, memoryPercent: 80, concurrency: 4, requestsPerSecond: 50, queuedRows: 8 },
    prometheus: [{ name: 'jobs', query: 'sum(rate(jobs_total[1m]))', perReplica: 10 }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 300, tolerance: 0.05 } },
    burst: { thresholdPercent: 200, window: '6s' },
  },
  lifecycle: { startupTimeout: '60s', drainTimeout: '30s' },
  rollout: { surge: 'Swap', onFailure: 'Pause', revisionHistoryLimit: 3 },
  expose: {
    hostnames: ['cats.example.com'],
    gatewayRef: { name: 'public', namespace: 'gateways' },
    allowFrom: [{ podSelector: { matchLabels: { app: 'shop' } }, namespaceSelector: {} }],
  },
  pod: {
    serviceAccountName: 's3-reader',
    imagePullSecrets: [{ name: 'reg' }],
    nodeSelector: { pool: 'a' },
    tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
    volumes: [{ name: 'work', emptyDir: { sizeLimit: '1Gi' } }],
    mounts: [{ name: 'work', mountPath: '/work', readOnly: false }],
    patch: {
      metadata: { annotations: { a: 'b' }, labels: { team: null } },
      spec: {
        containers: [{ name: 'server', resources: { limits: { cpu: 0.5 } }, terminationMessagePath: null }],
        topologySpreadConstraints: [{ labelSelector: { matchLabels: { 'towline.dev/service': 'cats' } } }],
      },
    },
  },
}
