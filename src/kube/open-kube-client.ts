import { type Clock, systemClock } from '../base/clock.ts'
import { readVersion } from '../base/process/version.ts'
import type { AccessWishes, ClusterAccess } from './credentials/access.ts'
import { readAccess } from './credentials/kubeconfig.ts'
import { readAll, readJson } from './http/answer.ts'
import { statusOf } from './http/failure.ts'
import { groupPath, pathOf, withQuery } from './http/paths.ts'
import { type KubeCall, type Transport, openTransport } from './http/transport.ts'
import type { KubeClient, ObjectPlace, PatchQuery } from './kube-client.ts'
import { listPages } from './list-pages.ts'
import type { KubeObject, Resource } from './object.ts'

export interface KubeClientOptions extends AccessWishes {
  /** Objects that one answer of a list holds at most. Default: 500. */
  readonly pageSize?: number
  /** In [0, 1): spreads retries. */
  readonly random?: () => number
}

/** Reads how a cluster is reached, and connects at the first call. TL_KUBECONFIG_UNUSABLE says what is wrong with the access. The signal, and `close`, end a login under way. */
export async function openKubeClient(options: KubeClientOptions = {}, clock: Clock = systemClock): Promise<KubeClient> {
  const { random = Math.random, pageSize = 500 } = options
  const closing = new AbortController()
  const signal = options.signal === undefined ? closing.signal : AbortSignal.any([options.signal, closing.signal])
  const access = await readAccess({ ...options, signal }, clock)
  const transport = openTransport({ access, clock, userAgent: `towline/${readVersion()}`, random })
  const close = async (): Promise<void> => {
    closing.abort()
    await transport.close()
  }
  return { ...createKubeClient(access, transport, pageSize), close }
}

function createKubeClient(access: ClusterAccess, transport: Transport, pageSize: number): Omit<KubeClient, 'close'> {
  const { server, context, namespace } = access
  const at = (resource: Resource, place: ObjectPlace = {}, name?: string, subresource?: string): string =>
    pathOf(resource, { namespace: place.namespace ?? namespace, name, subresource })
  const json = async (call: KubeCall): Promise<unknown> =>
    await transport.ask(call, async (answer) => await readJson(answer, describe(call, server)))
  const write = async (call: KubeCall, content: unknown, type = 'application/json'): Promise<unknown> =>
    await json({ ...call, headers: { 'content-type': type }, body: JSON.stringify(content) })
  const served = new Map<string, ReadonlySet<string>>()

  // What an API server answers is of the kind that it was asked for: hence the casts.
  return {
    server,
    context,
    namespace,
    get: async <T extends KubeObject>(resource: Resource, name: string, place?: ObjectPlace) => {
      const path = at(resource, place, name)
      return (await orMissing(json({ method: 'GET', path, signal: place?.signal }))) as T | undefined
    },
    list: async (resource, query) => await listPages(json, pageSize, resource, { namespace, ...query }),
    apply: async <T extends KubeObject>(
      resource: Resource,
      object: KubeObject,
      query: Parameters<KubeClient['apply']>[2],
    ) => {
      const path = withQuery(at(resource, placeOf(object, query), nameOf(object)), {
        ...settings(query),
        force: String(query.force ?? true),
      })
      return (await write({ method: 'PATCH', path, signal: query.signal }, object, 'application/apply-patch+yaml')) as T
    },
    create: async <T extends KubeObject>(
      resource: Resource,
      object: KubeObject,
      query: PatchQuery & { readonly name?: string } = {},
    ) => {
      const path = withQuery(at(resource, placeOf(object, query), query.name, query.subresource), settings(query))
      return (await write({ method: 'POST', path, signal: query.signal }, object)) as T
    },
    merge: async <T extends KubeObject>(resource: Resource, name: string, patch: unknown, query: PatchQuery = {}) => {
      const path = withQuery(at(resource, query, name, query.subresource), settings(query))
      return (await write({ method: 'PATCH', path, signal: query.signal }, patch, 'application/merge-patch+json')) as T
    },
    remove: async (resource, name, { uid, ...place } = {}) => {
      const options = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      }
      const call = { method: 'DELETE', path: at(resource, place, name), signal: place.signal }
      return (await orMissing(write(call, options))) !== undefined
    },
    serves: async (resource) => {
      const path = groupPath(resource)
      if (served.get(path)?.has(resource.plural) !== true) {
        const answer = orMissing(json({ method: 'GET', path })).catch((error: unknown) => orAway(resource, error))
        const found = (await answer) as Discovery | undefined
        served.set(path, new Set((found?.resources ?? []).map(({ name }) => name)))
      }
      return served.get(path)?.has(resource.plural) === true
    },
    version: async () => {
      const { major, minor, gitVersion } = (await json({ method: 'GET', path: '/version' })) as Version
      // Some providers write `31+`.
      return { major: Number.parseInt(major, 10), minor: Number.parseInt(minor, 10), gitVersion }
    },
    may: async (verb, { group, plural, namespaced }, place = {}) => {
      const where = namespaced ? { namespace: place.namespace ?? namespace } : {}
      const subresource = place.subresource === undefined ? {} : { subresource: place.subresource }
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb, group, resource: plural, ...subresource, ...where } },
      }
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
      const call = { method: 'POST', path, signal: place.signal, isRepeatable: true }
      const { status } = (await write(call, review)) as { status?: { allowed?: boolean } }
      return status?.allowed === true
    },
    stream: async (path, signal) =>
      await transport.ask({ method: 'GET', path, signal, isStream: true }, (answer) => Promise.resolve(answer.body)),
    request: async (call) => {
      const answer = await transport.send(call)
      return { status: answer.status, headers: answer.headers, body: await readAll(answer, describe(call, server)) }
    },
  }
}

interface Version {
  readonly major: string
  readonly minor: string
  readonly gitVersion: string
}

interface Discovery {
  readonly resources?: readonly { readonly name: string }[]
}

/** Strict: a field that the server does not know is refused, and not dropped. */
function settings({ fieldManager = 'towline', dryRun }: PatchQuery): Record<string, string | undefined> {
  return { fieldManager, fieldValidation: 'Strict', dryRun: dryRun === true ? 'All' : undefined }
}

function placeOf({ metadata }: KubeObject, { namespace }: ObjectPlace): ObjectPlace {
  const place = namespace ?? metadata?.namespace
  return place === undefined ? {} : { namespace: place }
}

function nameOf({ metadata, kind }: KubeObject): string {
  if (metadata?.name === undefined) throw new Error(`a ${kind ?? 'thing'} without a name cannot be applied`)
  return metadata.name
}

function describe({ method, path }: Pick<KubeCall, 'method' | 'path'>, server: string): string {
  return `${method} ${path.split('?', 1)[0]} at ${server}`
}

/** Groups that another server behind the API server answers for (`metrics.k8s.io`, `custom.metrics.k8s.io` …). */
const aggregated = /^(.+\.)?metrics\.k8s\.io$/

/** Of an aggregated group whose server is away: to whoever asks now it is not served. Of any other it is a failure. */
function orAway({ group }: Resource, error: unknown): undefined {
  if (aggregated.test(group) && statusOf(error) === 503) return undefined
  throw error
}

/** A place that is empty is no failure. */
async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}
