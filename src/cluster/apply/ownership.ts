import type { KubeObject } from '../../kube/object.ts'
import { managers } from '../concerns.ts'

export const serviceLabel = 'towline.dev/service'

/** Made by Towline for this service, by whatever hand it was applied. */
export function isOfService({ metadata }: KubeObject, service: string): boolean {
  const labels = metadata?.labels ?? {}
  return labels['app.kubernetes.io/managed-by'] === 'towline' && labels[serviceLabel] === service
}

/** `Helm`, as its label or else its managers say. */
export function nameManager({ metadata }: KubeObject): string {
  const label = metadata?.labels?.['app.kubernetes.io/managed-by']
  const others = (metadata?.managedFields ?? [])
    .filter(({ subresource = '' }) => subresource !== 'status')
    .map(({ manager }) => manager)
  return label ?? others.find((name) => name !== undefined) ?? 'somebody'
}

/** The number of replicas would fall to 1 with an apply that leaves it out. */
export function isCountOwnedBySpec({ metadata }: KubeObject): boolean {
  return (metadata?.managedFields ?? []).some(
    ({ manager, operation, fieldsV1 }) =>
      manager === managers.spec &&
      operation === 'Apply' &&
      (fieldsV1 as { 'f:spec'?: object } | undefined)?.['f:spec'] !== undefined &&
      'f:replicas' in (fieldsV1 as { 'f:spec': object })['f:spec'],
  )
}
