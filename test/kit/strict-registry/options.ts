import type { Clock } from '../../../src/base/clock.ts'
import type { FaultSource } from './faults.ts'

/** How this registry behaves where the protocol leaves a choice, and where real registries fall short of it. */
export interface RegistryOptions {
  /** `None` when left out. */
  readonly auth?: AuthOption
  /** Tells when tokens expire. */
  readonly clock?: Clock
  /** Form of `Location`; both carry a query that must be kept. Relative when left out. */
  readonly locations?: 'Relative' | 'Absolute'
  /** Announced as `OCI-Chunk-Min-Length`; a shorter chunk that was not the last is a violation. */
  readonly chunkMinBytes?: number
  /** Announced as `OCI-Chunk-Max-Length`; a longer chunk is a violation and 413. */
  readonly chunkMaxBytes?: number
  /** Like a proxy in front: longer bodies of uploads get 413. Not announced, so no violation. */
  readonly maxBodyBytes?: number
  /** Like GHCR: longer bodies of PATCH get 416. Not announced, so no violation. */
  readonly maxPatchBytes?: number
  /** The least that the specification asks for, 4 MiB, when left out. */
  readonly maxManifestBytes?: number
  /** `None` has neither the route nor `OCI-Subject`. An API with filters and 100 on a page when left out. */
  readonly referrers?: 'None' | { readonly pageSize: number; readonly filters: boolean }
  /** `Accepted` begins an upload instead, `Refused` is a plain error. `Allowed` when left out. */
  readonly mounts?: 'Allowed' | 'Accepted' | 'Refused'
  /** GET of a blob answers 307 to a second server under another host name. */
  readonly redirects?: boolean
  /** Whether `Range` is honoured; true when left out. */
  readonly ranges?: boolean
  /** What becomes of the bytes that came before a connection broke. `Kept` when left out. */
  readonly cutBodies?: 'Kept' | 'Dropped'
  /** Docker's older stream upload: one PATCH without Content-Range, and even without Content-Length. */
  readonly streams?: boolean
  /** `ETag` on manifests, and `If-Match` honoured (412). */
  readonly etags?: boolean
  /** Sent with every answer as `Warning: 299 - "…"`. */
  readonly warning?: string
  readonly faults?: FaultSource
}

export type AuthOption =
  | { readonly kind: 'None' }
  | ({ readonly kind: 'Basic' } & Login)
  | ({
      readonly kind: 'Bearer'
      /** 60 when left out. */
      readonly tokenSeconds?: number
      /** Where the token stands in the answer; `token` when left out. */
      readonly tokenField?: 'token' | 'access_token'
      /** Accepted as refresh token in a POST; without it a POST is 404, as at older token servers. */
      readonly identityToken?: string
      /** Whoever has no login may pull. */
      readonly anonymousPull?: boolean
      /** Nobody may push. */
      readonly readOnly?: boolean
    } & Login)

interface Login {
  readonly user: string
  readonly password: string
}
