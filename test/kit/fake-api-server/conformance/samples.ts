import type { Resource } from '../../../../src/kube/object.ts'
import { newShortId } from '../../../../src/base/id.ts'
import { crdResource } from '../objects/kind.ts'
import type { JsonObject } from '../objects/stored-object.ts'
import type { Probe } from './probe.ts'

/** A Deployment whose pods nobody waits for: its container is `a` unless others are given. */
export function deployment(spec: JsonObject = {}, containers: readonly JsonObject[] = [container()]): JsonObject {
  const labels = { app: 'd' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', labels },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } }, ...spec },
  }
}

export function container(more: JsonObject = {}): JsonObject {
  return { name: 'a', image: 'example/a:1', ...more }
}

export function configMap(name: string, data: JsonObject, more: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data, ...more }
}

/** A pod that wants no token, so that it does not wait for the account of its namespace. */
export function pod(name: string, spec: JsonObject = {}, labels: JsonObject = { app: 'x' }): JsonObject {
  return {
    metadata: { name, labels },
    spec: { automountServiceAccountToken: false, containers: [container()], ...spec },
  }
}

/** Has a kind of its own served: `spec.items` has keys, `spec.tags` is a set. Its definition goes with `run`. */
export async function withCustomKind(probe: Probe, run: (kind: Resource) => Promise<void>): Promise<void> {
  // Of its own: another definition of the same names may be on its way out.
  const id = newShortId(6)
  const plural = `things${id}`
  const kind: Resource = {
    group: 'conformance.towline.dev',
    version: 'v1',
    kind: `Thing${id}`,
    plural,
    namespaced: true,
  }
  const name = `${plural}.${kind.group}`
  await probe.create(crdResource, { metadata: { name }, spec: definition(kind) })
  await probe.until(
    () => probe.list(kind),
    ({ status }) => status === 200,
  )
  await run(kind)
  await probe.remove(crdResource, name)
}

function definition({ group, plural, kind, version }: Resource): JsonObject {
  const text = { type: 'string' }
  const item = { type: 'object', required: ['name'], properties: { name: text, value: text } }
  const properties = {
    size: { type: 'integer' },
    items: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: item },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text, b: text } },
  }
  const openAPIV3Schema = {
    type: 'object',
    properties: {
      spec: { type: 'object', properties },
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  }
  return {
    group,
    scope: 'Namespaced',
    names: { plural, singular: plural.replace('things', 'thing'), kind },
    versions: [
      { name: version, served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema } },
    ],
  }
}
