import { type Descriptor, isDigest, mediaTypes } from '../../../src/image/oci/descriptor.ts'
import { type Answer, type Exchange, errorAnswer, jsonAnswer, refuse } from './exchange.ts'
import type { HeldManifest } from './state.ts'

const wholeApi = { pageSize: 100, filters: true }

/** GET: an index of the manifests whose subject is `digest`, a page at a time. 404 where there is no such API. */
export function listReferrers(exchange: Exchange, repository: string, digest: string): Answer {
  const { state, options, url } = exchange
  if (options.referrers === 'None') return errorAnswer(404, 'UNSUPPORTED', 'there is no referrers API')
  if (!isDigest(digest)) return refuse(exchange, 'DigestInvalid', 'DIGEST_INVALID', `\`${digest}\` is no digest`)
  const { pageSize, filters } = options.referrers ?? wholeApi
  const artifactType = filters ? url.searchParams.get('artifactType') : null
  const found = [...(state.repositories.get(repository)?.manifests.values() ?? [])]
    .filter(({ content }) => content.subject?.digest === digest)
    .map(describe)
    .filter((descriptor) => artifactType === null || descriptor.artifactType === artifactType)
    .toSorted((a, b) => (a.digest < b.digest ? -1 : 1))
  const start = found.findIndex((descriptor) => descriptor.digest > (url.searchParams.get('last') ?? ''))
  const page = start === -1 ? [] : found.slice(start, start + pageSize)
  const next = new URLSearchParams({
    ...(artifactType === null ? {} : { artifactType }),
    last: page.at(-1)?.digest ?? '',
  })
  const isLast = start === -1 || start + pageSize >= found.length
  const link = `</v2/${repository}/referrers/${digest}?${next.toString()}>; rel="next"`
  return jsonAnswer(
    200,
    { schemaVersion: 2, mediaType: mediaTypes.index, manifests: page },
    {
      'content-type': mediaTypes.index,
      ...(artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(isLast ? {} : { link }),
    },
  )
}

function describe({ digest, mediaType, bytes, content }: HeldManifest): Descriptor {
  const artifactType = content.artifactType ?? ('config' in content ? content.config.mediaType : undefined)
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(content.annotations === undefined ? {} : { annotations: content.annotations }),
  }
}
