import { type JsonObject, isObject } from '../objects/stored-object.ts'

/**
 * How the parts of a value belong to managers. Objects: `Granular`, each field on its own, unless `Atomic`. Lists: `Atomic`, unless their items have
 * keys, or are the items of a set.
 */
export type Shape =
  | { readonly kind: 'Plain' }
  | { readonly kind: 'Atomic' }
  | { readonly kind: 'Set' }
  /** `whole`: an item belongs to managers as a whole. */
  | { readonly kind: 'Keyed'; readonly keys: readonly Key[]; readonly whole?: boolean }

export interface Key {
  readonly field: string
  /** What it is where the item does not say. */
  readonly otherwise?: string
}

/** Looks a value up by the fields that lead to it; items of lists are not named. */
export type Schema = (path: readonly string[]) => Shape

const keyed = (...keys: readonly (string | Key)[]): Shape => ({
  kind: 'Keyed',
  keys: keys.map((key) => (typeof key === 'string' ? { field: key } : key)),
})
const keyedWhole = (key: string): Shape => ({ kind: 'Keyed', keys: [{ field: key }], whole: true })
const plain: Shape = { kind: 'Plain' }
const atomic: Shape = { kind: 'Atomic' }
const set: Shape = { kind: 'Set' }
const protocol: Key = { field: 'protocol', otherwise: 'TCP' }

/** Of every kind, by the path from the root. */
const metadataShapes: Readonly<Record<string, Shape>> = {
  'metadata.finalizers': set,
  'metadata.ownerReferences': keyedWhole('uid'),
}

/**
 * Of the built-in kinds that Towline handles, by the last field of a path, or the last two where one name has two meanings. Read from the OpenAPI document of
 * Kubernetes 1.35, which a test of the real cluster compares this with.
 */
const builtInShapes: Readonly<Record<string, Shape>> = {
  addresses: keyed('type'),
  claims: keyed('name'),
  conditions: keyed('type'),
  configMapKeyRef: atomic,
  'containers.ports': keyed('containerPort', protocol),
  containers: keyed('name'),
  env: keyed('name'),
  ephemeralContainers: keyed('name'),
  'ephemeralContainers.ports': keyed('containerPort', protocol),
  fieldRef: atomic,
  fileKeyRef: atomic,
  hostAliases: keyed('ip'),
  initContainers: keyed('name'),
  'initContainers.ports': keyed('containerPort', protocol),
  labelSelector: atomic,
  'metadata.finalizers': set,
  'nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution': atomic,
  nodeSelector: atomic,
  ownerReferences: keyedWhole('uid'),
  podCIDRs: set,
  podIPs: keyed('ip'),
  podSelector: atomic,
  regarding: atomic,
  related: atomic,
  resourceClaims: keyed('name'),
  resourceClaimStatuses: keyed('name'),
  resourceFieldRef: atomic,
  schedulingGates: keyed('name'),
  scopeSelector: atomic,
  secretKeyRef: atomic,
  secrets: keyedWhole('name'),
  selector: atomic,
  'spec.imagePullSecrets': keyedWhole('name'),
  topologySpreadConstraints: keyed('topologyKey', 'whenUnsatisfiable'),
  volumeDevices: keyed('devicePath'),
  volumeMounts: keyed('mountPath'),
  volumes: keyed('name'),
}

/** Only there: elsewhere the same names are lists without keys. */
const onlyInServices: Readonly<Record<string, Shape>> = { 'spec.ports': keyed('port', protocol) }

/** Which built-in kind, without its group. */
export function createBuiltInSchema(kind: string): Schema {
  const extra = kind === 'Service' ? onlyInServices : {}
  return (path) => {
    const last = path.at(-1) ?? ''
    const lastTwo = path.slice(-2).join('.')
    return extra[lastTwo] ?? builtInShapes[lastTwo] ?? builtInShapes[last] ?? plain
  }
}

/** A kind of a CustomResourceDefinition: what its OpenAPI schema says in `x-kubernetes-list-type` and `x-kubernetes-map-type`. */
export function createCustomSchema(openApi: unknown): Schema {
  return (path) => {
    const fromMetadata = metadataShapes[path.join('.')]
    if (fromMetadata !== undefined) return fromMetadata
    const at = path.reduce<JsonObject>(
      (at, field) => {
        const own = isObject(at['items']) ? at['items'] : at
        const properties = isObject(own['properties']) ? own['properties'] : {}
        const next = properties[field] ?? own['additionalProperties']
        return isObject(next) ? next : {}
      },
      isObject(openApi) ? openApi : {},
    )
    return readShape(at)
  }
}

/** What one node of an OpenAPI schema says. */
export function readShape(node: JsonObject): Shape {
  if (node['x-kubernetes-map-type'] === 'atomic') return atomic
  if (node['x-kubernetes-list-type'] === 'set') return set
  if (node['x-kubernetes-list-type'] !== 'map') return plain
  return keyed(...((node['x-kubernetes-list-map-keys'] ?? []) as readonly string[]))
}
