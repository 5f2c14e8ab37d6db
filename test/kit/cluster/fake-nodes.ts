/** A node that KWOK plays: pods on it run in the API alone. */
export interface FakeNode {
  readonly name: string
  /** `32` when left out. */
  readonly cpu?: string
  /** `256Gi` when left out. */
  readonly memory?: string
  /** Of `nvidia.com/gpu`; labels are the test's own. */
  readonly gpus?: number
  /** More resources, such as `{"nvidia.com/mig-1g.10gb": "7"}`. */
  readonly capacity?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  readonly unschedulable?: boolean
}

/** The node as an object to apply. KWOK keeps what its status says it has. */
export function writeFakeNode(node: FakeNode): Readonly<Record<string, unknown>> {
  const { name, cpu = '32', memory = '256Gi', gpus, capacity = {}, labels = {}, taints, unschedulable } = node
  const gpu = gpus === undefined ? {} : { 'nvidia.com/gpu': String(gpus) }
  const resources = { cpu, memory, pods: '110', 'ephemeral-storage': '100Gi', ...gpu, ...capacity }
  const usual = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      // Without the path metrics-server asks where a kubelet would answer, and gets 404.
      annotations: {
        'kwok.x-k8s.io/node': 'fake',
        'metrics.k8s.io/resource-metrics-path': `/metrics/nodes/${name}/metrics/resource`,
      },
      labels: { ...usual, ...labels },
    },
    spec: {
      ...(taints === undefined ? {} : { taints }),
      ...(unschedulable === undefined ? {} : { unschedulable }),
    },
    status: { capacity: resources, allocatable: resources },
  }
}
