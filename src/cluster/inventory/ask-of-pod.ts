import type { PodSpec } from 'kubernetes-types/core/v1.js'
import type { RuntimeClass } from 'kubernetes-types/node/v1.js'
import type { PodAsk } from '../../decide/placement/facts.ts'
import { amountsOfPod } from './pod-requests.ts'

export interface AskContext {
  /** Of the cluster; absent: they may not be seen, and a class that is named is taken to be there. */
  readonly runtimeClasses?: readonly RuntimeClass[] | undefined
  /** Of the image, as `12.4`; absent: nothing is known of it. */
  readonly cudaVersion?: string | undefined
}

/** What the scheduler will ask for this pod, by its spec: of a template, before the API server has seen it. */
export function askOfPod(spec: PodSpec, { runtimeClasses, cudaVersion }: AskContext = {}): PodAsk {
  const name = spec.runtimeClassName
  const runtimeClass = runtimeClasses?.find(({ metadata }) => metadata?.name === name)
  // What the class adds to each of its pods when they are made.
  const { requests, limits } = amountsOfPod({
    ...(runtimeClass?.overhead?.podFixed === undefined ? {} : { overhead: runtimeClass.overhead.podFixed }),
    ...spec,
  })
  return {
    requests,
    limits,
    nodeSelector: { ...spec.nodeSelector, ...runtimeClass?.scheduling?.nodeSelector },
    nodeTerms: spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [],
    tolerations: [...(spec.tolerations ?? []), ...(runtimeClass?.scheduling?.tolerations ?? [])],
    unchecked: findUnchecked(spec),
    ...(name !== undefined && runtimeClasses !== undefined && runtimeClass === undefined
      ? { refusal: `there is no RuntimeClass \`${name}\`` }
      : {}),
    ...(cudaVersion === undefined ? {} : { cudaVersion }),
  }
}

/** Rules that the scheduler keeps to and a count by node does not know. Only those that a pod must meet. */
function findUnchecked({
  affinity,
  containers,
  volumes = [],
  topologySpreadConstraints = [],
  ...spec
}: PodSpec): string[] {
  const found: readonly (readonly [string, boolean])[] = [
    ['podAffinity', affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined],
    ['podAntiAffinity', affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined],
    [
      'topologySpreadConstraints',
      topologySpreadConstraints.some(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule'),
    ],
    ['hostPort', containers.some(({ ports = [] }) => ports.some(({ hostPort }) => hostPort !== undefined))],
    ['persistentVolumeClaim', volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined)],
    ['resourceClaims', 'resourceClaims' in spec],
    ['schedulingGates', 'schedulingGates' in spec],
    ['schedulerName', spec.schedulerName !== undefined && spec.schedulerName !== 'default-scheduler'],
  ]
  return found.filter(([, isThere]) => isThere).map(([what]) => what)
}
