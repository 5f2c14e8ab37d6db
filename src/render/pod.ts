import type { PodSpec, PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { gpuPodParts } from '../decide/placement/gpu-pod-parts.ts'
import { imageUser } from '../image/plan/build-plan.ts'
import type { ClusterService } from '../spec/cluster-service.ts'
import { containerName, renderBytes, renderContainer, settingsVolume, sharedMemoryVolume } from './container.ts'
import { type Naming, keys, managedBy, selectorOf } from './names.ts'
import { patchPod } from './pod-patch.ts'
import { drainTimings } from './replica-settings.ts'

/** Changes only with what makes a revision: a label of the document, say, would otherwise replace every pod. */
export function renderPod(cluster: ClusterService, naming: Naming, settingsName: string): PodTemplateSpec {
  const { service, model, pod } = cluster
  const template: PodTemplateSpec = {
    metadata: {
      labels: {
        'app.kubernetes.io/name': service.name,
        ...managedBy,
        ...selectorOf(cluster),
        [keys.revision]: naming.revision,
      },
      annotations: {
        'kubectl.kubernetes.io/default-container': containerName,
        [keys.modelDigest]: model.digest,
        [keys.modelName]: service.model.name,
        [keys.renderer]: '1',
      },
    },
    spec: renderSpec(cluster, settingsName),
  }
  return pod.patch === undefined ? template : patchPod(template, pod.patch)
}

function renderSpec(cluster: ClusterService, settingsName: string): PodSpec {
  const { service, pod, gpu } = cluster
  const gpus = gpu === undefined ? undefined : gpuPodParts(gpu)
  const { nodeSelectorTerms = [], sharedMemoryBytes } = gpus ?? {}
  // Kubernetes' own words, as written.
  const written = pod as unknown as Required<Pick<PodSpec, 'tolerations' | 'volumes'>>
  const tolerations = [...(gpus?.tolerations ?? []), ...written.tolerations]
  const [user, group] = imageUser.split(':').map(Number)
  return {
    serviceAccountName: pod.serviceAccountName ?? service.name,
    // The server asks nothing of the API.
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(pod.imagePullSecrets.length === 0 ? {} : { imagePullSecrets: [...pod.imagePullSecrets] }),
    ...(Object.keys(pod.nodeSelector).length === 0 ? {} : { nodeSelector: { ...pod.nodeSelector } }),
    ...(nodeSelectorTerms.length === 0
      ? {}
      : {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [...nodeSelectorTerms] },
            },
          },
        }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      // Better beside another than not at all.
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selectorOf(cluster) },
      // Old and new pods are no neighbours to each other.
      matchLabelKeys: ['pod-template-hash'],
    })),
    terminationGracePeriodSeconds: Math.ceil(drainTimings(cluster).graceMs / 1000),
    securityContext: {
      runAsNonRoot: true,
      ...(user === undefined ? {} : { runAsUser: user }),
      ...(group === undefined ? {} : { runAsGroup: group }),
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [renderContainer(cluster)],
    volumes: [
      { name: settingsVolume, configMap: { name: settingsName } },
      ...(sharedMemoryBytes === undefined
        ? []
        : [{ name: sharedMemoryVolume, emptyDir: { medium: 'Memory', sizeLimit: renderBytes(sharedMemoryBytes) } }]),
      ...written.volumes,
    ],
  }
}
