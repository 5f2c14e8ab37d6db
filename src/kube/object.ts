/** Any object of Kubernetes as JSON. Known kinds have the types of `kubernetes-types`, which fit in here. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: KubeMeta
}

export interface KubeMeta {
  readonly name?: string
  readonly namespace?: string
  readonly uid?: string
  /** Opaque; changes with each write. */
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly { readonly uid: string; readonly kind: string; readonly name: string }[]
  readonly managedFields?: readonly FieldOwner[]
}

/** Who wrote which fields: what server-side apply goes by. */
export interface FieldOwner {
  readonly manager?: string
  readonly operation?: string
  readonly subresource?: string
  /** `{"f:spec": {"f:replicas": {}}}` */
  readonly fieldsV1?: unknown
}

/** Where objects of one kind live in the API. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Lower-case plural, as in the path. */
  readonly plural: string
  readonly namespaced: boolean
}
