import type { Kind } from '../objects/kind.ts'
import { type JsonObject, isObject, objectAt } from '../objects/stored-object.ts'
import { type Shape, readShape } from '../ownership/schema.ts'

/** Volumes that Towline has no use for. */
const foreign = /volumes\.(?:azure|cephfs|cinder|csi|ephemeral|flexVolume|iscsi|rbd|scaleIO|storageos)/
const depthLimit = 16

/** Where the table of shapes says something else than the OpenAPI document of the kind's group and version: a line each. */
export function findShapeDifferences(kind: Kind, document: JsonObject): readonly string[] {
  const schemas = objectAt(document, 'components', 'schemas')
  const root = Object.values(schemas).find((schema) => isOf(kind, schema))
  if (root === undefined) return [`${kind.kind}: the document does not have it`]
  const differences: string[] = []
  const walk = (node: JsonObject, path: readonly string[]): void => {
    if (path.includes('managedFields') || foreign.test(path.join('.')) || path.length > depthLimit) return
    const whole = resolve(node, schemas)
    const isList = isObject(whole['items'])
    const item = isList ? resolve(objectAt(whole, 'items'), schemas) : whole
    const isItemWhole = isList && readShape(item).kind === 'Atomic'
    const [wanted, ours] = [describe(withItems(readShape(whole), isItemWhole)), describe(kind.schema(path))]
    if (wanted !== ours) differences.push(`${kind.kind} .${path.join('.')}: ${wanted}, and not ${ours}`)
    // Below what is owned as a whole nothing is owned.
    if (wanted === 'Atomic') return
    if (isItemWhole || (isList && wanted === 'Plain')) return
    for (const [field, child] of Object.entries(objectAt(item, 'properties'))) {
      if (isObject(child)) walk(child, [...path, field])
    }
  }
  walk(root as JsonObject, [])
  return differences
}

function isOf({ group, version, kind }: Kind, schema: unknown): boolean {
  const named = isObject(schema) ? schema['x-kubernetes-group-version-kind'] : undefined
  return (
    Array.isArray(named) &&
    named.length === 1 &&
    named.some((one: JsonObject) => one['group'] === group && one['version'] === version && one['kind'] === kind)
  )
}

/** What a reference leads to, with what stands beside it. */
function resolve(node: JsonObject, schemas: JsonObject): JsonObject {
  const { allOf, $ref, ...rest } = node
  if (typeof $ref === 'string') return resolve(objectAt(schemas, $ref.split('/').at(-1) ?? ''), schemas)
  if (!Array.isArray(allOf) || !isObject(allOf[0])) return node
  return { ...resolve(allOf[0], schemas), ...rest }
}

function withItems(shape: Shape, isItemWhole: boolean): Shape {
  return shape.kind === 'Keyed' && isItemWhole ? { ...shape, whole: true } : shape
}

function describe(shape: Shape): string {
  if (shape.kind !== 'Keyed') return shape.kind
  return `Keyed ${shape.keys.map(({ field }) => field).join(',')}${shape.whole === true ? ', whole' : ''}`
}
