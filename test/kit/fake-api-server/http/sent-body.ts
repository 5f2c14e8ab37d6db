import { parse } from 'yaml'
import type { Kind } from '../objects/kind.ts'
import { StatusFailure, badRequest } from '../objects/status-failure.ts'
import { type JsonObject, isObject, objectAt } from '../objects/stored-object.ts'
import type { Exchange } from './exchange.ts'

/** The object in the body. Throws a StatusFailure of 400 where it is none, or of another kind than the address. */
export function readSent({ body }: Exchange, kind: Pick<Kind, 'kind' | 'apiVersion' | 'isBuiltIn'>): JsonObject {
  const sent = parseJson(body, kind.kind)
  const { apiVersion, kind: sentKind } = sent
  if (!kind.isBuiltIn && sentKind === undefined) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): Object 'Kind' is missing`)
  }
  if ((sentKind ?? kind.kind) !== kind.kind || (apiVersion ?? kind.apiVersion) !== kind.apiVersion) {
    throw badRequest(`${text(sentKind)} in version "${text(apiVersion)}" cannot be handled as a ${kind.kind}`)
  }
  return sent
}

/** The intent of an apply: YAML, or JSON as a part of it. */
export function readIntent({ body }: Exchange, { kind, apiVersion }: Pick<Kind, 'kind' | 'apiVersion'>): JsonObject {
  const sent = parseYaml(body)
  if (!isObject(sent)) throw badRequest('error decoding YAML: it is no object')
  if (sent['kind'] !== kind || sent['apiVersion'] !== apiVersion) {
    const [group = '', version = ''] = text(sent['apiVersion']).includes('/')
      ? text(sent['apiVersion']).split('/')
      : ['', text(sent['apiVersion'])]
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${text(sent['kind'])}`)
  }
  if (objectAt(sent, 'metadata')['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil')
  return sent
}

/** A JSON merge patch. */
export function readPatch({ body }: Exchange): JsonObject {
  return parseJson(body, 'patch')
}

/** RFC 7386. */
export function mergePatch(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged: Record<string, unknown> = { ...(isObject(value) ? value : {}) }
  for (const [field, item] of Object.entries(patch)) {
    if (item === null) delete merged[field]
    else merged[field] = mergePatch(merged[field], item)
  }
  return merged
}

/** Sets name and namespace as the address has them. Throws a StatusFailure of 400 where the object says something else. */
export function placeAt(
  sent: JsonObject,
  { namespace, name }: { readonly namespace: string | undefined; readonly name?: string },
): JsonObject {
  const metadata = objectAt(sent, 'metadata')
  if (namespace !== undefined && (metadata['namespace'] ?? namespace) !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (name !== undefined && (metadata['name'] ?? name) !== name) {
    throw badRequest(`the name of the object (${text(metadata['name'])}) does not match the name on the URL (${name})`)
  }
  const place = { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) }
  return { ...sent, metadata: { ...metadata, ...place } }
}

export function unsupportedMedia(): StatusFailure {
  return new StatusFailure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', { details: {} })
}

function parseJson(body: Buffer, kind: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error`,
    )
  }
  if (isObject(value)) return value
  throw badRequest(`the object provided is unrecognized (must be of type ${kind})`)
}

function parseYaml(body: Buffer): unknown {
  try {
    return parse(body.toString())
  } catch (error) {
    throw badRequest(
      `error decoding YAML: error converting YAML to JSON: yaml: ${error instanceof Error ? error.message : ''}`,
    )
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
