/**
 * Lists whose items an overlay merges by a key, and lists that are sets of words, by path. All others are replaced as a
 * whole. The Kustomize `openapi` file is generated from this table, so both merge alike.
 */
export const mergedLists: Readonly<Record<string, string>> = {
  'spec.env': 'name',
  'spec.autoscaling.prometheus': 'name',
  'spec.pod.volumes': 'name',
  'spec.pod.imagePullSecrets': 'name',
  'spec.pod.mounts': 'mountPath',
  'spec.rollout.requires': 'environment',
}

export const setLists: readonly string[] = ['spec.expose.hostnames']
