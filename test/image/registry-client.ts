import assert from 'node:assert/strict'
import type { Digest } from '../../src/image/oci/descriptor.ts'
import type { Index, Manifest } from '../../src/image/oci/manifest.ts'
import { mediaTypes } from '../../src/image/oci/descriptor.ts'

/** Reads one repository of a registry over plain HTTP, with nothing of Towline. */
export interface RepositoryReader {
  readManifest(reference: string): Promise<Manifest>
  readIndex(reference: string): Promise<Index>
  readJson(digest: Digest): Promise<unknown>
}

export function openRepository(url: string, repository: string): RepositoryReader {
  const read = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${url}/v2/${repository}/${path}`, {
      headers: { accept: [mediaTypes.manifest, mediaTypes.index].join(', ') },
    })
    assert.equal(answer.status, 200, path)
    return answer.json()
  }
  return {
    readManifest: async (reference) => (await read(`manifests/${reference}`)) as Manifest,
    readIndex: async (reference) => (await read(`manifests/${reference}`)) as Index,
    readJson: (digest) => read(`blobs/${digest}`),
  }
}
