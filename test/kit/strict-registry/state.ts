import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Digest, digestOf, isIndexType } from '../../../src/image/oci/descriptor.ts'
import type { Index, Manifest } from '../../../src/image/oci/manifest.ts'
import type { Violation } from './exchange.ts'
import type { RequestKind } from './route.ts'

export interface HeldManifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly content: Manifest | Index
}

export interface Repository {
  readonly blobs: Map<Digest, Uint8Array>
  readonly manifests: Map<Digest, HeldManifest>
  readonly tags: Map<string, Digest>
}

export interface Upload {
  readonly id: string
  readonly repository: string
  readonly chunks: Buffer[]
  sizeBytes: number
  /** What the query of a Location must carry: the newest, and the one before when the newest may not have arrived. */
  tokens: Set<string>
  /** The client cannot know how far it came: an answer or a body was cut off. */
  unsure: boolean
  /** A chunk shorter than announced came; it must have been the last. */
  hadShortChunk: boolean
  /** Of all bodies so far, also of what was dropped. */
  receivedBytes: number
  /** The request that is being served. */
  busy: { readonly request: IncomingMessage; readonly done: Promise<void> } | undefined
  /** What the repository held when the upload began. */
  readonly heldBefore: ReadonlySet<Digest>
}

export interface RegistryState {
  readonly repositories: Map<string, Repository>
  readonly uploads: Map<string, Upload>
  /** Uploads that ended: asking for them is no violation, since their end may not have been heard. */
  readonly endedUploads: Set<string>
  readonly violations: Violation[]
  readonly requests: Map<RequestKind, number>
  /** Body bytes of uploads by the digest they were for. */
  readonly received: Map<Digest, number>
  /** Of those, what was sent in uploads that began when the repository held the blob already. */
  readonly receivedAgain: Map<Digest, number>
}

export function createState(): RegistryState {
  return {
    repositories: new Map(),
    uploads: new Map(),
    endedUploads: new Set(),
    violations: [],
    requests: new Map(),
    received: new Map(),
    receivedAgain: new Map(),
  }
}

/** The repository, made when it is not there. */
export function openRepository({ repositories }: RegistryState, name: string): Repository {
  const repository = repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() }
  repositories.set(name, repository)
  return repository
}

export function beginUpload(state: RegistryState, repository: string): Upload {
  const upload: Upload = {
    id: randomUUID(),
    repository,
    chunks: [],
    sizeBytes: 0,
    tokens: new Set(),
    unsure: false,
    hadShortChunk: false,
    receivedBytes: 0,
    busy: undefined,
    heldBefore: new Set(state.repositories.get(repository)?.blobs.keys()),
  }
  state.uploads.set(upload.id, upload)
  return upload
}

export function endUpload(state: RegistryState, { id }: Upload): void {
  state.uploads.delete(id)
  state.endedUploads.add(id)
}

export function addTo<K>(counts: Map<K, number>, key: K, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount)
}

/** As real registries say it: `0-0` stands for one byte and for none. */
export function formatRange({ sizeBytes }: Pick<Upload, 'sizeBytes'>): string {
  return `0-${Math.max(0, sizeBytes - 1)}`
}

export function holdBlob(state: RegistryState, repository: string, bytes: Uint8Array): Digest {
  const digest = digestOf(bytes)
  openRepository(state, repository).blobs.set(digest, bytes)
  return digest
}

/** By tag or digest. */
export function findManifest(
  { repositories }: RegistryState,
  name: string,
  reference: string,
): HeldManifest | undefined {
  const repository = repositories.get(name)
  return repository?.manifests.get(repository.tags.get(reference) ?? (reference as Digest))
}

/** Whatever `manifest` leads to, at any depth, and is not there or has not the size stated: one line each. */
export function findMissing(
  repository: Repository | undefined,
  { content, mediaType }: Pick<HeldManifest, 'content' | 'mediaType'>,
): string[] {
  if (isIndexType(mediaType)) {
    return (content as Index).manifests.flatMap(({ digest }) => {
      const child = repository?.manifests.get(digest)
      return child === undefined ? [`manifest ${digest}`] : findMissing(repository, child)
    })
  }
  const { config, layers } = content as Manifest
  return [config, ...layers]
    .filter(({ digest }) => repository?.blobs.has(digest) !== true)
    .map(({ digest }) => `blob ${digest}`)
}

/** Tags that lead to something missing: `name:tag lacks blob sha256:…`. */
export function findBrokenTags({ repositories }: RegistryState): string[] {
  return [...repositories].flatMap(([name, repository]) =>
    [...repository.tags].flatMap(([tag, digest]) => {
      const manifest = repository.manifests.get(digest)
      const missing = manifest === undefined ? [`manifest ${digest}`] : findMissing(repository, manifest)
      return missing.map((what) => `${name}:${tag} lacks ${what}`)
    }),
  )
}
