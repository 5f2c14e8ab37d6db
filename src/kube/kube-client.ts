import type { KubeObject, Resource } from './object.ts'

export interface ObjectPlace {
  /** Absent: the client's own. Not read for kinds without one. */
  readonly namespace?: string
  readonly signal?: AbortSignal | undefined
}

export interface ListQuery extends ObjectPlace {
  /** `all`: of every namespace. */
  readonly scope?: 'namespace' | 'all'
  /** `key=value,key2` */
  readonly labelSelector?: string
  /** `metadata.name=cats` */
  readonly fieldSelector?: string
}

export interface ApplyQuery extends ObjectPlace {
  /** One for each concern: `towline` for what a spec says, `towline-scale` for the number of replicas. */
  readonly fieldManager: string
  /** Takes fields from other managers. Default: true. */
  readonly force?: boolean
  /** The server goes through all of it and stores nothing. */
  readonly dryRun?: boolean
}

export interface PatchQuery extends ObjectPlace {
  readonly fieldManager?: string
  readonly dryRun?: boolean
  /** `scale`, `status`, `eviction` … */
  readonly subresource?: string
}

/** What a list answers: its items, and the version that a watch goes on from. */
export interface ListAnswer<T> {
  readonly items: readonly T[]
  readonly resourceVersion: string
}

/**
 * One API server as one person. Failures are TL_CLUSTER_UNREACHABLE (nobody answers, or only in part), TL_CLUSTER_UNAUTHORIZED (401: who are you),
 * TL_CLUSTER_FORBIDDEN (403: the verb, the kind and the namespace are named), TL_CLUSTER_CONFLICT (409), TL_CLUSTER_REFUSED (other answers
 * of 400 to 499, with the server's own sentence and the fields it names; a full quota and an admission that says no are 403 and belong
 * here), TL_CLUSTER_FAILED (500 and up). The status itself is in `KubeFailure`. What is repeatable (all but `create` and `request`) is
 * tried again, four times in all, while the server asks for patience (429, 502, 503, 504) or connections break.
 */
export interface KubeClient {
  /** `https://…` */
  readonly server: string
  /** Name of the context in the kubeconfig; `in-cluster` in a pod. */
  readonly context: string
  /** Where objects without a namespace go. */
  readonly namespace: string
  /** Undefined: there is none of this name; there is none either of a kind that this server does not know. */
  get<T extends KubeObject>(resource: Resource, name: string, place?: ObjectPlace): Promise<T | undefined>
  /** All pages. Undefined items never occur; a kind that this server does not know is TL_CLUSTER_REFUSED with status 404. */
  list<T extends KubeObject>(resource: Resource, query?: ListQuery): Promise<ListAnswer<T>>
  /** Server-side apply of the whole intent. Answers what is stored then. */
  apply<T extends KubeObject>(resource: Resource, object: KubeObject, query: ApplyQuery): Promise<T>
  create<T extends KubeObject>(
    resource: Resource,
    object: KubeObject,
    query?: PatchQuery & { readonly name?: string },
  ): Promise<T>
  /** JSON merge patch. */
  merge<T extends KubeObject>(resource: Resource, name: string, patch: unknown, query?: PatchQuery): Promise<T>
  /** False: there was none, or none any more when the answer of a first try was lost. Dependents follow in the background. */
  remove(resource: Resource, name: string, place?: ObjectPlace & { readonly uid?: string }): Promise<boolean>
  /** True where the server serves this kind (discovery). A yes is kept, a no is asked again: kinds are installed at any time. */
  serves(resource: Resource): Promise<boolean>
  /** `{"gitVersion": "v1.35.4", "major": "1", "minor": "35"}` */
  version(): Promise<{ readonly major: number; readonly minor: number; readonly gitVersion: string }>
  /** What the person may do, by SelfSubjectAccessReview. */
  may(verb: string, resource: Resource, place?: ObjectPlace & { readonly subresource?: string }): Promise<boolean>
  /** A stream of bytes, such as a pod's log: `/api/v1/namespaces/…/pods/NAME/log?follow=true`. It has to be read, or the signal given. */
  stream(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Any request through the API server, such as one to a Service by its proxy, sent once. Statuses of 400 and up are answers here. */
  request(call: RawCall): Promise<RawAnswer>
  close(): Promise<void>
}

export interface RawCall {
  readonly method: string
  /** From the root, with its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}
