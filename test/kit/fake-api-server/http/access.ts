import { StatusFailure, qualify } from '../objects/status-failure.ts'
import { type JsonObject, objectAt } from '../objects/stored-object.ts'
import type { Address } from './address.ts'
import { type Answer, type Exchange, json } from './exchange.ts'

/** What a request wants to do, in the words of RBAC. */
export interface Access {
  readonly verb: Verb
  readonly group: string
  readonly plural: string
  readonly subresource?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface AccessRules {
  readonly user: string
  /** Until what it answers is called, this is forbidden. */
  forbid(rule: (access: Access) => boolean): () => void
  isForbidden(access: Access): boolean
  /** Throws a StatusFailure of 403. */
  check(access: Access): void
}

/** Everybody may everything that no rule forbids. */
export function createAccessRules(user: string): AccessRules {
  const rules = new Set<(access: Access) => boolean>()
  const isForbidden = (access: Access): boolean => [...rules].some((rule) => rule(access))
  return {
    user,
    forbid(rule) {
      rules.add(rule)
      return () => void rules.delete(rule)
    },
    isForbidden,
    check(access) {
      if (isForbidden(access)) throw forbidden(user, access)
    },
  }
}

function forbidden(user: string, access: Access): StatusFailure {
  const { verb, group, plural, subresource, namespace, name } = access
  const whole = subresource === undefined ? plural : `${plural}/${subresource}`
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  const what = name === undefined ? qualify(access) : `${qualify(access)} "${name}"`
  const message = `${what} is forbidden: User "${user}" cannot ${verb} resource "${whole}" in API group "${group}" ${where}`
  const details = { ...(name === undefined ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural }
  return new StatusFailure(403, 'Forbidden', message, { details })
}

const verbs: Readonly<Record<string, Verb>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** What the request wants to do to an object or a collection; undefined where the address is of neither. */
export function readAccess({ method, query }: Exchange, address: Address): Access | undefined {
  if (address.kind !== 'Collection' && address.kind !== 'Object') return undefined
  const { resource, namespace } = address
  const shared = { group: resource.group, plural: resource.plural, namespace }
  if (address.kind === 'Object') {
    const { name, subresource } = address
    return { ...shared, verb: verbs[method] ?? 'get', name, subresource }
  }
  if (method === 'DELETE') return { ...shared, verb: 'deletecollection' }
  const isWatch = ['1', 'true'].includes(query.get('watch') ?? '')
  return { ...shared, verb: verbs[method] ?? (isWatch ? 'watch' : 'list') }
}

/** SelfSubjectAccessReview: may the person? */
export function reviewAccess(rules: AccessRules, sent: JsonObject): Answer {
  const spec = objectAt(sent, 'spec')
  const { verb, group = '', resource, subresource, namespace, name } = objectAt(spec, 'resourceAttributes')
  const access = { verb, group, plural: resource, subresource, namespace, name } as unknown as Access
  const allowed = !rules.isForbidden(access)
  const identity = { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1' }
  return json(201, { ...identity, metadata: {}, spec, status: { allowed } })
}
