import { canonicalJson } from '../../base/canonical.ts'
import { type Descriptor, type Digest, digestOf } from './descriptor.ts'

/** An image, or an artifact when `artifactType` is there. */
export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly artifactType?: string
  readonly config: Descriptor
  /** From the bottom to the top. */
  readonly layers: readonly Descriptor[]
  /** What this artifact says something about. */
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Index {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly artifactType?: string
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

/** The config blob of an image. `Healthcheck` is Docker's; OCI readers pass over it. */
export interface ImageConfig {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  /** RFC 3339. */
  readonly created?: string
  readonly author?: string
  readonly config?: RunConfig
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly HistoryEntry[]
}

export interface RunConfig {
  readonly User?: string
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly WorkingDir?: string
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  /** Times in nanoseconds. */
  readonly Healthcheck?: {
    readonly Test: readonly string[]
    readonly Interval?: number
    readonly Timeout?: number
    readonly StartPeriod?: number
    readonly Retries?: number
  }
}

export interface HistoryEntry {
  readonly created?: string
  readonly created_by?: string
  readonly comment?: string
  /** No layer belongs to this step. */
  readonly empty_layer?: boolean
}

/** A JSON document as a blob: sorted keys, no spaces, so that equal values have equal digests. */
export function encodeDocument(
  mediaType: string,
  value: object,
): { readonly descriptor: Descriptor; readonly bytes: Uint8Array } {
  const bytes = new TextEncoder().encode(canonicalJson(value))
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes }
}
