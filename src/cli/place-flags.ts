import { projectFlag } from './project.ts'

/** Which cluster, and where in it. */
export interface ClusterFlags {
  readonly context?: string
  readonly namespace?: string
}

export const clusterFlags = {
  context: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'NAME',
    brief: 'Cluster: a context of the kubeconfig; default: the current one',
  },
  namespace: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'NS',
    brief: "Namespace of the cluster; default: the context's",
  },
} as const

/** Where a command looks for services: here, or on a cluster as soon as one of its flags is given. */
export interface PlaceFlags extends ClusterFlags {
  readonly project?: string
}

export const placeFlags = { project: projectFlag, ...clusterFlags } as const

export function isCluster({ context, namespace }: ClusterFlags): boolean {
  return context !== undefined || namespace !== undefined
}

/** Of every command that has them, as everywhere around Kubernetes. */
export const clusterAliases = { n: 'namespace' } as const

/** Of commands that write a spec to a cluster, or say what that would do. */
export const deployFlags = {
  adopt: {
    kind: 'boolean',
    default: false,
    brief: 'Cluster: take over objects of the same name that Towline did not make',
    withNegated: false,
  },
  expectNodes: {
    kind: 'boolean',
    default: false,
    brief: 'Cluster: nodes are added for pods that find no place',
    withNegated: false,
  },
} as const
