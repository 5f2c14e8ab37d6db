import type { Container, PodSpec } from 'kubernetes-types/core/v1.js'

/** What a pod is made with, of the kinds that come with a spec. Secrets never do, and nobody here reads one. */
export interface PodNeed {
  readonly kind: 'ConfigMap' | 'ServiceAccount'
  readonly name: string
  /** It starts without as well, or the cluster sees to it. */
  readonly isOptional: boolean
}

interface Reference {
  readonly name?: string
  readonly optional?: boolean
}

export function needsOfPod({
  volumes = [],
  containers,
  initContainers = [],
  serviceAccountName,
}: PodSpec): readonly PodNeed[] {
  const references: readonly (Reference | undefined)[] = [
    ...volumes.flatMap(({ configMap, projected }) => [
      configMap,
      ...(projected?.sources ?? []).map((source) => source.configMap),
    ]),
    ...[...initContainers, ...containers].flatMap(referencesOf),
  ]
  return [
    ...references.flatMap((reference) =>
      reference?.name === undefined
        ? []
        : [{ kind: 'ConfigMap' as const, name: reference.name, isOptional: reference.optional === true }],
    ),
    {
      kind: 'ServiceAccount',
      name: serviceAccountName ?? 'default',
      // Each namespace has one of this name, and gets it back when it is taken away.
      isOptional: serviceAccountName === undefined,
    },
  ]
}

function referencesOf({ env = [], envFrom = [] }: Container): readonly (Reference | undefined)[] {
  return [...envFrom.map(({ configMapRef }) => configMapRef), ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef)]
}
