import { StatusFailure, unknownResource } from '../objects/status-failure.ts'
import { reviewAccess } from './access.ts'
import type { Address, ObjectAddress } from './address.ts'
import { createObject, getObject, patchObject, removeObject, removeObjects, updateObject } from './changing.ts'
import { showGroups, showKinds, showVersion } from './discovery.ts'
import { type Answer, type Exchange, type Service, text } from './exchange.ts'
import { listObjects } from './listing.ts'
import { serveLog, serveProxy } from './relays.ts'
import { readSent } from './sent-body.ts'
import { serveEviction, serveScale } from './subresources.ts'

const reviewKind = { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', isBuiltIn: true }

/** Answers one request of somebody who may. Throws a StatusFailure. */
export function serve(service: Service, exchange: Exchange, address: Address): Answer | Promise<Answer> {
  const { world, access } = service
  switch (address.kind) {
    case 'Version':
      return showVersion()
    case 'Health':
      return text(200, 'ok')
    case 'Groups':
      return showGroups(world, exchange.path)
    case 'Kinds':
      return showKinds(world, address.group, address.version)
    case 'AccessReview':
      return reviewAccess(access, readSent(exchange, reviewKind))
    case 'Unknown':
      if (!address.isServed) return text(404, '404 page not found\n')
      throw unknownResource()
    case 'Collection':
      return serveCollection(service, exchange, address)
    case 'Object':
      return serveObject(service, exchange, address)
  }
}

function serveCollection(
  service: Service,
  exchange: Exchange,
  address: Extract<Address, { kind: 'Collection' }>,
): Answer {
  const { resource, namespace } = address
  const { query, method } = exchange
  switch (method) {
    case 'GET': {
      if (!['1', 'true'].includes(query.get('watch') ?? '')) {
        return listObjects(service.world.store, resource, namespace, query)
      }
      return service.watches.prepare(resource, namespace, query)
    }
    case 'POST':
      if (resource.namespaced && namespace === undefined) throw methodNotAllowed()
      return createObject(service, exchange, address)
    case 'DELETE':
      return removeObjects(service, exchange, address)
    default:
      throw methodNotAllowed()
  }
}

function serveObject(service: Service, exchange: Exchange, address: ObjectAddress): Answer | Promise<Answer> {
  const { resource, subresource } = address
  if (subresource !== undefined && !(subresource === 'status' && resource.hasStatus)) {
    return serveSubresource(service, exchange, address)
  }
  switch (exchange.method) {
    case 'GET':
      return getObject(service, address)
    case 'PUT':
      return updateObject(service, exchange, address)
    case 'PATCH':
      return patchObject(service, exchange, address)
    case 'DELETE':
      if (subresource !== undefined) throw methodNotAllowed()
      return removeObject(service, exchange, address)
    default:
      throw methodNotAllowed()
  }
}

function serveSubresource(service: Service, exchange: Exchange, address: ObjectAddress): Answer | Promise<Answer> {
  const { resource, subresource } = address
  const { method } = exchange
  if (subresource === 'scale' && resource.hasScale && ['GET', 'PUT', 'PATCH'].includes(method)) {
    return serveScale(service, exchange, address)
  }
  if (subresource === 'proxy' && ['pods', 'services'].includes(resource.plural)) {
    return serveProxy(service, exchange, address)
  }
  if (resource.plural !== 'pods') throw unknownResource()
  if (subresource === 'eviction' && method === 'POST') return serveEviction(service, exchange, address)
  if (subresource === 'log' && method === 'GET') return serveLog(service, exchange, address)
  throw unknownResource()
}

function methodNotAllowed(): StatusFailure {
  const message = 'the server does not allow this method on the requested resource'
  return new StatusFailure(405, 'MethodNotAllowed', message, { details: {} })
}
