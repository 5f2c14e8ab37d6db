import type { Service } from './service.ts'

/**
 * A sealed document, resolved for a cluster: every default applied, every unit in its name. `spec/resolve/` makes it; renderers
 * and the cluster's hands work with it.
 */
export interface ClusterService {
  readonly service: Omit<Service, 'env' | 'apiKeys'>
  /** Of the document; absent: whoever applies it says. */
  readonly namespace?: string
  /** Of the document, for every object that is made of it. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** `name@sha256:…` */
  readonly image: string
  /** Sealed: `image:///models` and `sha256:…`. */
  readonly model: { readonly uri: string; readonly digest: string }
  readonly env: readonly EnvEntry[]
  readonly cpuLimitMillis?: number
  readonly gpu?: GpuRequest
  readonly expose?: Exposure
  readonly pod: PodWishes
}

export type EnvEntry = { readonly name: string } & (
  | { readonly value: string }
  | {
      readonly from: { readonly kind: 'Secret' | 'ConfigMap'; readonly name: string; readonly key: string }
    }
)

/** What one replica asks of GPUs. */
export interface GpuRequest {
  /** Devices, or slices of `mig`. */
  readonly count: number
  readonly minMemoryBytes?: number
  readonly minComputeCapability?: { readonly major: number; readonly minor: number }
  readonly sharing: 'Exclusive' | 'Shared'
  /** `1g.10gb` */
  readonly mig?: string
  /** Of another device plugin; absent: NVIDIA's. */
  readonly resourceName?: string
}

export interface Exposure {
  readonly hostnames: readonly string[]
  readonly gateway?: { readonly name: string; readonly namespace?: string }
  /** NetworkPolicyPeers, as written. */
  readonly allowFrom: readonly Readonly<Record<string, unknown>>[]
}

/** Kubernetes' own words, as written. */
export interface PodWishes {
  readonly serviceAccountName?: string
  readonly imagePullSecrets: readonly { readonly name: string }[]
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly tolerations: readonly Readonly<Record<string, unknown>>[]
  readonly volumes: readonly Readonly<Record<string, unknown>>[]
  readonly mounts: readonly Readonly<Record<string, unknown>>[]
  /** Strategic merge on the finished pod; what the guarantees rest on has been refused. */
  readonly patch?: Readonly<Record<string, unknown>>
}
