import type { Container, EnvVar, Probe } from 'kubernetes-types/core/v1.js'
import { renderQuantity } from '../base/quantity.ts'
import { imagePorts, imagePaths } from '../image/plan/build-plan.ts'
import { dirname } from 'node:path/posix'
import type { ClusterService, EnvEntry } from '../spec/cluster-service.ts'
import { ownVolumes } from '../spec/rules/pod-rules.ts'
import { gpuPodParts } from '../decide/placement/gpu-pod-parts.ts'
import { drainTimings } from './replica-settings.ts'

export const containerName = 'server'
export const settingsVolume = `${ownVolumes}settings`
export const sharedMemoryVolume = `${ownVolumes}shared-memory`

const startupPeriodS = 2
const million = 1_000_000n

export function renderContainer(cluster: ClusterService): Container {
  const { image, env, pod, gpu } = cluster
  const { waitMs } = drainTimings(cluster)
  return {
    name: containerName,
    image,
    imagePullPolicy: 'IfNotPresent',
    ports: [
      { name: 'http', containerPort: imagePorts.http, protocol: 'TCP' },
      { name: 'metrics', containerPort: imagePorts.metrics, protocol: 'TCP' },
    ],
    ...(env.length === 0 ? {} : { env: env.map(renderEnv) }),
    resources: renderResources(cluster),
    startupProbe: startupProbe(cluster),
    // Quick to leave the Service, and slow to be restarted: a model that computes for seconds is no dead one.
    readinessProbe: { ...probe('/v2/health/ready'), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 },
    livenessProbe: { ...probe('/v2/health/live'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    // Requests still come until everybody knows that this pod leaves.
    lifecycle: { preStop: { sleep: { seconds: Math.ceil(waitMs / 1000) } } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: settingsVolume, mountPath: dirname(imagePaths.settings), readOnly: true },
      ...(gpu !== undefined && gpuPodParts(gpu).sharedMemoryBytes !== undefined
        ? [{ name: sharedMemoryVolume, mountPath: '/dev/shm' }]
        : []),
      // Kubernetes' own words, as written.
      ...(pod.mounts as unknown as NonNullable<Container['volumeMounts']>),
    ],
  }
}

/** With time for the slowest start that the spec allows, and no more. */
function startupProbe({ service }: ClusterService): Probe {
  return {
    ...probe('/v2/health/ready'),
    periodSeconds: startupPeriodS,
    timeoutSeconds: 2,
    failureThreshold: Math.max(1, Math.ceil(service.lifecycle.startupTimeoutMs / 1000 / startupPeriodS)),
  }
}

function probe(path: string): Probe {
  return { httpGet: { path, port: 'http' } }
}

function renderEnv(entry: EnvEntry): EnvVar {
  if ('value' in entry) return { name: entry.name, value: entry.value }
  const { kind, name, key } = entry.from
  return {
    name: entry.name,
    valueFrom: kind === 'Secret' ? { secretKeyRef: { name, key } } : { configMapKeyRef: { name, key } },
  }
}

/** Memory is both: a pod that was promised less than it may use is the first to be killed. CPU without a limit slows nobody's model down. */
function renderResources({ service, cpuLimitMillis, gpu }: ClusterService): NonNullable<Container['resources']> {
  const { cpuMillis, memoryBytes } = service.resources
  const gpus = gpu === undefined ? {} : gpuPodParts(gpu).resources
  const memory = memoryBytes === undefined ? {} : { memory: renderBytes(memoryBytes) }
  const limits = { ...(cpuLimitMillis === undefined ? {} : { cpu: renderMillis(cpuLimitMillis) }), ...memory, ...gpus }
  return {
    requests: { cpu: renderMillis(cpuMillis), ...memory, ...gpus },
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  }
}

function renderMillis(millis: number): string {
  return renderQuantity({ nanos: BigInt(millis) * million })
}

export function renderBytes(bytes: number): string {
  for (const [unit, size] of [
    ['Gi', 1024 ** 3],
    ['Mi', 1024 ** 2],
    ['Ki', 1024],
  ] as const)
    if (bytes % size === 0) return `${bytes / size}${unit}`
  return String(bytes)
}
