import type { ModelFile } from '../../spec/model/model-print.ts'
import type { Platform } from '../oci/descriptor.ts'
import type { RunConfig } from '../oci/manifest.ts'
import type { LockedCode, MeasuredLayer, RuntimePackage } from '../runtime/runtime-lock.ts'

/** What an image will be, before a byte of it is made. Both builders work from it, so that both make the same image. */
export interface BuildPlan {
  /** Of the service. */
  readonly name: string
  readonly platform: Platform
  readonly base: PlannedBase
  /** Over the base, from what changes least to what changes most. */
  readonly layers: readonly PlannedLayer[]
  /** Over the base's own. */
  readonly run: RunConfig
  readonly model: { readonly digest: string; readonly sizeBytes: number }
  /** What a person might expect in the image and is not there, and why. */
  readonly notes: readonly string[]
}

export interface PlannedBase {
  readonly reference: string
  readonly why: string
}

export interface PlannedLayer {
  readonly name: string
  /** Why it is there, and on its own. */
  readonly why: string
  /** Weights do not get smaller, and would only cost time at every start. */
  readonly compression: 'Gzip' | 'None'
  readonly content: LayerContent
  /** What the runtime lock says that it comes to. */
  readonly measured?: MeasuredLayer
}

export type LayerContent =
  | { readonly kind: 'Packages'; readonly packages: readonly RuntimePackage[] }
  | { readonly kind: 'Model'; readonly files: readonly ModelFile[] }
  | { readonly kind: 'Code'; readonly code: LockedCode }
  | { readonly kind: 'Documents'; readonly documents: readonly PlannedDocument[] }

export interface PlannedDocument {
  /** In the image, without the leading `/`. */
  readonly path: string
  readonly text: string
}

/** Where things lie in an image. Nothing of the base is touched. */
export const imagePaths = {
  home: '/opt/towline',
  node: '/opt/towline/node/bin/node',
  replica: '/opt/towline/dist/serve/replica-process.js',
  health: '/opt/towline/dist/serve/health-process.js',
  manifest: '/opt/towline/package.json',
  models: '/models',
  settings: '/etc/towline/replica.json',
} as const

/** What a container listens on. */
export const imagePorts = { http: 8080, metrics: 9090 } as const

/** The `nonroot` user of distroless images: a number, because Kubernetes can prove only of a number that it is not root. */
export const imageUser = '65532:65532'
