import type { KubeObject } from '../../kube/object.ts'
import { keys } from '../../render/names.ts'
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

/** An apply that leaves them out would let the number fall to 1, and forget what is noted of it. */
export function isCountOwnedBySpec({ metadata }: KubeObject): boolean {
  return (metadata?.managedFields ?? []).some(({ manager, operation, fieldsV1 }) => {
    if (manager !== managers.spec || operation !== 'Apply') return false
    const { 'f:spec': spec, 'f:metadata': own } = (fieldsV1 ?? {}) as OwnedFields
    return spec?.['f:replicas'] !== undefined || own?.['f:annotations']?.[`f:${keys.specReplicas}`] !== undefined
  })
}

interface OwnedFields {
  readonly 'f:spec'?: { readonly 'f:replicas'?: object }
  readonly 'f:metadata'?: { readonly 'f:annotations'?: Readonly<Record<string, object>> }
}
