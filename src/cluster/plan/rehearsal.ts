import { TowlineError } from '../../base/errors.ts'
import type { KubeClient, ObjectPlace } from '../../kube/kube-client.ts'
import type { FieldOwner, KubeObject } from '../../kube/object.ts'
import { keys } from '../../render/names.ts'
import { isOfService, nameManager } from '../apply/ownership.ts'
import { nameObject, resourceOf } from '../apply/resource-of.ts'
import { managers } from '../concerns.ts'
import type { ObjectChange, Refusal } from './deploy-plan.ts'
import { compareObjects } from './field-changes.ts'

/** One object as it is, and as the server says that it would be. */
export type Rehearsal = { readonly intent: KubeObject; readonly live: KubeObject | undefined } & (
  | { readonly kind: 'Taken'; readonly planned: KubeObject }
  | { readonly kind: 'Refused'; readonly refusal: Refusal }
)

export interface RehearsalPlace extends ObjectPlace {
  readonly service: string
  readonly namespace: string
  readonly adopt: boolean
}

/** The server goes through all of the write and stores nothing. Thrown is only what keeps from asking it. */
export async function rehearseApply(
  client: KubeClient,
  intent: KubeObject,
  { service, adopt, ...place }: RehearsalPlace,
): Promise<Rehearsal> {
  const resource = resourceOf(intent)
  let live: KubeObject | undefined
  try {
    live = await client.get(resource, intent.metadata?.name ?? '', place)
    if (live !== undefined && !adopt && !isOfService(live, service))
      return { kind: 'Refused', intent, live, refusal: refuseForeign(live, intent, place.namespace) }
    if (live?.metadata?.deletionTimestamp !== undefined)
      return { kind: 'Refused', intent, live, refusal: refuseLeaving(live) }
    const planned = await client.apply(resource, intent, { ...place, fieldManager: managers.spec, dryRun: true })
    return { kind: 'Taken', intent, live, planned }
  } catch (error) {
    return { kind: 'Refused', intent, live, refusal: readRefusal(error, intent) }
  }
}

function refuseForeign(live: KubeObject, intent: KubeObject, namespace: string): Refusal {
  return {
    code: 'TL_CLUSTER_CONFLICT',
    detail: `${nameObject(intent)} exists in namespace ${namespace} and is not of this service: ${nameManager(live)} manages it`,
    hint: 'give the service another name, or take it over with --adopt',
  }
}

/** What is written to it would go with it. */
function refuseLeaving(live: KubeObject): Refusal {
  return {
    code: 'TL_CLUSTER_CONFLICT',
    detail: `${nameObject(live)} is being taken away since ${live.metadata?.deletionTimestamp}`,
    hint: 'deploy again once it is gone; what holds it back is in its `metadata.finalizers`',
  }
}

function readRefusal(error: unknown, intent: KubeObject): Refusal {
  const codes = ['TL_CLUSTER_FORBIDDEN', 'TL_CLUSTER_REFUSED', 'TL_CLUSTER_CONFLICT']
  if (!(error instanceof TowlineError) || !codes.includes(error.code)) throw error
  const detail = error.detail.includes(intent.metadata?.name ?? '')
    ? error.detail
    : `${nameObject(intent)}: ${error.detail}`
  const hint = error.detail.includes('field is immutable') ? adviseImmutable(intent) : error.hint
  return { code: error.code, detail, ...(hint === undefined ? {} : { hint }) }
}

function adviseImmutable(intent: KubeObject): string {
  return `what is there was made otherwise and cannot become this one: give the service another name, or take ${nameObject(intent)} away first`
}

/** False: everything is so already, and is known to be ours. */
export function isWrite({ kind, live, ...rest }: Rehearsal): boolean {
  if (kind === 'Refused' || live === undefined) return true
  const { planned } = rest as { planned: KubeObject }
  return fieldsOf(live, planned).length > 0 || ownFields(live) !== ownFields(planned)
}

/** With the uid of what is there: what was taken away meanwhile is not made again in part. */
export function bindToLive({ intent, live }: Rehearsal): KubeObject {
  const uid = live?.metadata?.uid
  return uid === undefined ? intent : { ...intent, metadata: { ...intent.metadata, uid } }
}

export function describeChange(rehearsal: Rehearsal): ObjectChange {
  const { intent, live } = rehearsal
  const named = { kind: intent.kind ?? '', name: intent.metadata?.name ?? '' }
  if (live === undefined) return { ...named, action: 'New', fields: [] }
  const fields = rehearsal.kind === 'Refused' ? [] : fieldsOf(live, rehearsal.planned)
  return { ...named, action: fields.length === 0 ? 'Same' : 'Changed', fields }
}

/** Decided elsewhere: an apply leaves them out, and the server answers with what that alone would do. */
const pathsOfCount = ['spec.replicas', `metadata.annotations[${keys.specReplicas}]`]

function fieldsOf(live: KubeObject, planned: KubeObject): ObjectChange['fields'] {
  const fields = compareObjects(live, planned)
  return planned.kind === 'Deployment' ? fields.filter(({ path }) => !pathsOfCount.includes(path)) : fields
}

function ownFields({ metadata }: KubeObject): string {
  const own = metadata?.managedFields?.find(
    ({ manager, operation }: FieldOwner) => manager === managers.spec && operation === 'Apply',
  )
  return JSON.stringify(own?.fieldsV1 ?? null)
}
