import type { InstalledPackage, OsRelease } from '../base/dpkg-status.ts'
import type { Digest, Platform } from '../oci/descriptor.ts'
import type { Reference } from '../registry/reference.ts'
import type { RuntimePackage } from '../runtime/runtime-lock.ts'

/** What is in one image of one platform, for its bill of materials. The order of lists does not matter. */
export interface ImageContents {
  readonly image: NamedImage
  readonly platform: Platform
  /** Absent for an image made from scratch. */
  readonly base?: NamedImage & {
    /** Whose packages they are; `debian` where it does not say. */
    readonly release?: OsRelease
    readonly packages: readonly InstalledPackage[]
  }
  readonly node: { readonly version: string }
  readonly towline: {
    readonly version: string
    /** Over the built modules, as in the runtime lock. */
    readonly digest: Digest
  }
  readonly model: PackedModel
  readonly packages: readonly NpmPackage[]
  /** `SOURCE_DATE_EPOCH`, in seconds since 1970. Absent: the document says no time. */
  readonly createdAtS?: number
}

export interface NamedImage {
  readonly name: string
  /** Where it is, if it is in a registry. */
  readonly reference?: Reference
  /** Of the manifest of this platform. */
  readonly digest: Digest
}

export type NpmPackage = Pick<RuntimePackage, 'name' | 'version' | 'integrity' | 'license'>

export interface PackedModel {
  readonly name: string
  /** Over names and contents of its files: what Towline calls the model by everywhere. */
  readonly digest: Digest
  readonly files: readonly {
    /** Relative to the model's folder. */
    readonly path: string
    readonly digest: Digest
  }[]
}
