import { TowlineError } from '../../base/errors.ts'
import { type Digest, isDigest } from '../oci/descriptor.ts'

/** Where an image is: `localhost:5000/team/model:1.2@sha256:…`. */
export interface Reference {
  /** Host with its port when one is given; `docker.io` for Docker Hub. */
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

export const dockerHub = 'docker.io'

const example = 'an image is named like registry.example.com/team/model:1.2'
const repositoryPart = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const hostLabel = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i
const tagPattern = /^\w[\w.-]{0,127}$/
/** Host and repository together, as registries count it. */
const maxNameLength = 255

/**
 * Reads an image's name as Docker does: without a host it is at Docker Hub, there without a folder in `library`. A tag that is
 * not written stays undefined, see `tagOf`. TL_REFERENCE_INVALID with what is wrong.
 */
export function parseReference(text: string): Reference {
  const scheme = /^([a-z][a-z0-9+-]*):\/\//i.exec(text)
  if (scheme !== null) throw refuse(text, `starts with ${scheme[0]}, which is no part of a name`)
  const at = text.indexOf('@')
  const digest = at === -1 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest))
    throw refuse(text, `has the digest "${digest}", and a digest is sha256: with 64 hexadecimal digits in lower case`)
  const named = at === -1 ? text : text.slice(0, at)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const tag = colon === -1 ? undefined : named.slice(colon + 1)
  if (tag !== undefined && !tagPattern.test(tag))
    throw refuse(
      text,
      `has the tag "${tag}", and a tag is 1 to 128 letters, digits, "_", "." or "-", no "." or "-" first`,
    )
  const { registry, repository } = splitHost(text, colon === -1 ? named : named.slice(0, colon))
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** The full name: `docker.io/library/debian:13-slim`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** The tag that is meant: `latest` where neither tag nor digest is written, undefined where only a digest is. */
export function tagOf({ tag, digest }: Reference): string | undefined {
  return tag ?? (digest === undefined ? 'latest' : undefined)
}

function splitHost(text: string, name: string): { readonly registry: string; readonly repository: string } {
  const slash = name.indexOf('/')
  const first = slash === -1 ? '' : name.slice(0, slash)
  // What Docker takes for a host: an address, a name with a dot or a port, or one that no repository can have.
  const isHost = /[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  if (isHost) checkHost(text, first)
  const isHub = !isHost || first === dockerHub || first === 'index.docker.io'
  const path = isHost ? name.slice(slash + 1) : name
  const repository = isHub && !path.includes('/') ? `library/${path}` : path
  if (path === '') throw refuse(text, 'has no repository')
  for (const part of path.split('/'))
    if (!repositoryPart.test(part))
      throw refuse(
        text,
        part === ''
          ? 'has an empty part between slashes'
          : `has "${part}", and a part of a repository is lower-case letters and digits, single ".", "_", "__" or "-" between them`,
      )
  const registry = isHub ? dockerHub : first
  if (registry.length + 1 + repository.length > maxNameLength)
    throw refuse(text, `is longer than ${maxNameLength} characters`)
  return { registry, repository }
}

function checkHost(text: string, host: string): void {
  const [, name = '', port] = /^(\[[0-9a-fA-F:.]+\]|[^:]*)(?::(.*))?$/.exec(host) ?? []
  if (!name.startsWith('[') && !name.split('.').every((label) => hostLabel.test(label)))
    throw refuse(text, `has the host "${host}", which no host is called`)
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    throw refuse(text, `has the port "${port}", and ports are numbers from 1 to 65535`)
}

function refuse(text: string, why: string): TowlineError {
  return new TowlineError('TL_REFERENCE_INVALID', `"${text.slice(0, 300)}" ${text === '' ? 'is empty' : why}`, {
    hint: example,
  })
}
