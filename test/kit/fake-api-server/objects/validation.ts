import type { Kind } from './kind.ts'
import { matchesLabels } from './selectors.ts'
import { type Invalid, invalid } from './status-failure.ts'
import { type JsonObject, isObject, isSameJson, objectAt, textOf } from './stored-object.ts'

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const nameLimit = 253

/**
 * A few of the rules by which the real server refuses an object, those that Towline's own kinds can meet: names, selectors of a Deployment and their
 * immutability, containers without name or image, twice the same container or port name, an immutable ConfigMap, a budget that says two things. Throws a
 * StatusFailure of 422 that names all mistakes. Fields that no schema has are not seen here.
 */
export function validate(kind: Kind, object: JsonObject, live: JsonObject | undefined): void {
  const mistakes = [...validateName(object), ...validateKind(kind.kind, object, live)]
  if (mistakes.length === 0) return
  const name = textOf(objectAt(object, 'metadata')['name'])
  throw invalid({ kind: kind.kind, group: kind.group, name }, mistakes)
}

function validateName(object: JsonObject): readonly Invalid[] {
  const { name } = objectAt(object, 'metadata')
  if (typeof name !== 'string' || name === '') {
    return [{ field: 'metadata.name', mistake: 'Required value', detail: 'name or generateName is required' }]
  }
  if (subdomain.test(name) && name.length <= nameLimit) return []
  return [{ field: 'metadata.name', mistake: 'Invalid value', detail: `"${name}": ${subdomainRule}` }]
}

function validateKind(kind: string, object: JsonObject, live: JsonObject | undefined): readonly Invalid[] {
  const spec = objectAt(object, 'spec')
  switch (kind) {
    case 'Deployment':
    case 'ReplicaSet':
      return validateWorkload(spec, live)
    case 'Pod':
      return validateContainers(spec, 'spec')
    case 'ConfigMap':
      return validateConfigMap(object, live)
    case 'PodDisruptionBudget':
      return spec['minAvailable'] !== undefined && spec['maxUnavailable'] !== undefined
        ? [invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set')]
        : []
    default:
      return []
  }
}

function validateWorkload(spec: JsonObject, live: JsonObject | undefined): readonly Invalid[] {
  const { selector, replicas } = spec
  const labels = objectAt(spec, 'template', 'metadata')['labels'] as Record<string, string> | undefined
  const mistakes: Invalid[] = []
  if (!isObject(selector)) mistakes.push({ field: 'spec.selector', mistake: 'Required value' })
  if (!isObject(selector) || !matchesLabels(selector, labels)) {
    const why = '`selector` does not match template `labels`'
    mistakes.push(invalidValue('spec.template.metadata.labels', labels, why))
  }
  if (typeof replicas === 'number' && replicas < 0) {
    mistakes.push(invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'))
  }
  mistakes.push(...validateContainers(objectAt(spec, 'template', 'spec'), 'spec.template.spec'))
  if (live !== undefined && !isSameJson(objectAt(live, 'spec')['selector'], selector)) {
    mistakes.push(invalidValue('spec.selector', selector, 'field is immutable'))
  }
  return mistakes
}

function validateContainers({ containers }: JsonObject, path: string): readonly Invalid[] {
  if (!Array.isArray(containers) || containers.length === 0) {
    return [{ field: `${path}.containers`, mistake: 'Required value' }]
  }
  return containers.flatMap((container: JsonObject, index): readonly Invalid[] =>
    ['name', 'image']
      .filter((field) => container[field] === undefined || container[field] === '')
      .map((field) => ({ field: `${path}.containers[${index}].${field}`, mistake: 'Required value' })),
  )
}

function validateConfigMap(object: JsonObject, live: JsonObject | undefined): readonly Invalid[] {
  if (live?.['immutable'] !== true) return []
  const detail = 'field is immutable when `immutable` is set'
  return ['data', 'binaryData', 'immutable']
    .filter((field) => !isSameJson(object[field], live[field]))
    .map((field) => ({ field, mistake: 'Forbidden', detail }))
}

function invalidValue(field: string, value: unknown, why: string): Invalid {
  return { field, mistake: 'Invalid value', detail: `${JSON.stringify(value)}: ${why}` }
}
