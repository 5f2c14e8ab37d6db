import { type Clock, systemClock } from '../base/clock.ts'
import type { AccessWishes, ClusterAccess } from './credentials/access.ts'
import { readAccess } from './credentials/kubeconfig.ts'
import { KubeFailure, readFailure } from './http/failure.ts'
import { groupPath, pathOf, withQuery } from './http/paths.ts'
import { type Transport, openTransport } from './http/transport.ts'
import type { KubeClient, ListAnswer, ListQuery, ObjectPlace, PatchQuery } from './kube-client.ts'
import type { KubeObject, Resource } from './object.ts'

const pageSize = '500'

/** Reads how a cluster is reached, and connects at the first call. TL_KUBECONFIG_UNUSABLE says what is wrong with the access. */
export async function openKubeClient(wishes: AccessWishes = {}, clock: Clock = systemClock): Promise<KubeClient> {
  const access = await readAccess(wishes, clock)
  return createKubeClient(access, openTransport(access, clock))
}

export function createKubeClient({ server, context, namespace }: ClusterAccess, transport: Transport): KubeClient {
  const at = (resource: Resource, place: ObjectPlace = {}, name?: string, subresource?: string): string =>
    pathOf(resource, { namespace: place.namespace ?? namespace, name, subresource })
  const served = new Map<string, Promise<ReadonlySet<string>>>()
  const write = async (
    method: string,
    path: string,
    body: unknown,
    { type = 'application/json', signal }: { readonly type?: string; readonly signal?: AbortSignal | undefined },
  ): Promise<unknown> =>
    transport.json({ method, path, headers: { 'content-type': type }, body: JSON.stringify(body), signal })

  // What an API server answers is of the kind that it was asked for.
  return {
    server,
    context,
    namespace,
    get: async <T extends KubeObject>(resource: Resource, name: string, place?: ObjectPlace) => {
      const path = at(resource, place, name)
      return (await orMissing(transport.json({ method: 'GET', path, signal: place?.signal }))) as T | undefined
    },
    list: (resource, query) => listAll(transport, resource, { namespace, ...query }),
    apply: async <T extends KubeObject>(
      resource: Resource,
      object: KubeObject,
      query: Parameters<KubeClient['apply']>[2],
    ) => {
      const place = { namespace: query.namespace ?? object.metadata?.namespace ?? namespace }
      const path = withQuery(at(resource, place, nameOf(object)), {
        fieldManager: query.fieldManager,
        force: String(query.force ?? true),
        fieldValidation: 'Strict',
        dryRun: query.dryRun === true ? 'All' : undefined,
      })
      return (await write('PATCH', path, object, { type: 'application/apply-patch+yaml', signal: query.signal })) as T
    },
    create: async <T extends KubeObject>(
      resource: Resource,
      object: KubeObject,
      query: PatchQuery & { readonly name?: string } = {},
    ) => {
      const place = { namespace: query.namespace ?? object.metadata?.namespace ?? namespace }
      return (await write(
        'POST',
        withQuery(at(resource, place, query.name, query.subresource), settings(query)),
        object,
        query,
      )) as T
    },
    merge: async <T extends KubeObject>(resource: Resource, name: string, patch: unknown, query: PatchQuery = {}) => {
      const path = withQuery(at(resource, query, name, query.subresource), settings(query))
      return (await write('PATCH', path, patch, { type: 'application/merge-patch+json', signal: query.signal })) as T
    },
    remove: async (resource, name, { uid, ...place } = {}) => {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      }
      return (await orMissing(write('DELETE', at(resource, place, name), body, place))) !== undefined
    },
    serves: async (resource) => {
      const group = groupPath(resource)
      const known = served.get(group) ?? discover(transport, group)
      served.set(group, known)
      known.catch(() => served.delete(group))
      return (await known).has(resource.plural)
    },
    version: async () => {
      const { major, minor, gitVersion } = (await transport.json({ method: 'GET', path: '/version' })) as Version
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
      const { status } = (await write('POST', path, review, place)) as { status?: { allowed?: boolean } }
      return status?.allowed === true
    },
    stream: async (path, signal) => {
      const answer = await transport.send({ method: 'GET', path, signal })
      if (answer.status < 300) return answer.body
      const text = Buffer.from(await answer.bytes()).toString()
      throw readFailure(answer.status, text, { method: 'GET', path, server, context })
    },
    request: async (call) => {
      const answer = await transport.send(call)
      return { status: answer.status, headers: answer.headers, body: await answer.bytes() }
    },
    close: () => transport.close(),
  }
}

interface Version {
  readonly major: string
  readonly minor: string
  readonly gitVersion: string
}

function settings({ fieldManager = 'towline', dryRun }: PatchQuery): Record<string, string | undefined> {
  return { fieldManager, fieldValidation: 'Strict', dryRun: dryRun === true ? 'All' : undefined }
}

function nameOf({ metadata, kind }: KubeObject): string {
  if (metadata?.name === undefined) throw new Error(`a ${kind ?? 'thing'} without a name cannot be applied`)
  return metadata.name
}

/** A place that is empty is no failure. */
async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof KubeFailure && error.status === 404) return undefined
    throw error
  }
}

interface Page<T> {
  readonly items?: readonly T[]
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string }
}

/** Page by page, so that no single answer is large. A list that took too long begins anew, once. */
async function listAll<T extends KubeObject>(
  transport: Transport,
  resource: Resource,
  { scope = 'namespace', namespace, labelSelector, fieldSelector, signal }: ListQuery,
): Promise<ListAnswer<T>> {
  const path = pathOf(resource, { namespace: scope === 'all' ? undefined : namespace })
  const kind = { apiVersion: groupPath(resource).replace(/^\/apis?\//, ''), kind: resource.kind }
  for (let fresh = 0; ; fresh++) {
    const items: T[] = []
    let next: string | undefined
    try {
      for (;;) {
        const query = { limit: pageSize, continue: next, labelSelector, fieldSelector }
        const page = (await transport.json({ method: 'GET', path: withQuery(path, query), signal })) as Page<T>
        // Items of a list leave out what they are.
        items.push(...(page.items ?? []).map((item) => ({ ...kind, ...item })))
        next = page.metadata?.continue
        if (next === undefined || next === '') return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
      }
    } catch (error) {
      if (!(error instanceof KubeFailure) || error.status !== 410 || next === undefined || fresh > 0) throw error
    }
  }
}

async function discover(transport: Transport, path: string): Promise<ReadonlySet<string>> {
  const answer = (await orMissing(transport.json({ method: 'GET', path }))) as
    | { readonly resources?: readonly { readonly name: string }[] }
    | undefined
  return new Set((answer?.resources ?? []).map(({ name }) => name))
}
