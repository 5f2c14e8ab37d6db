import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js'
import { canonicalJson } from '../../base/canonical.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { strategies } from '../../render/deployment.ts'
import { keys } from '../../render/names.ts'
import { findPlaces } from '../plan/find-places.ts'
import { mannerOf } from '../plan/strategy.ts'

export interface Replacement {
  /** Its pods have a place already and keep it. Absent: all of them are replaced. */
  readonly revision?: string | undefined
  readonly template: PodTemplateSpec | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The Deployment with the strategy by which such pods find their places now, as `deploy` would choose it. The same object where the
 * spec, or a person, said how, where nothing is known of the room, and where there is none either way.
 */
export async function makeWay(
  client: KubeClient,
  deployment: Deployment,
  { revision = '', template, signal }: Replacement,
): Promise<Deployment> {
  const { metadata, spec } = deployment
  const now = mannerOf(deployment)
  const isChosen = canonicalJson(spec?.strategy) === canonicalJson(strategies[now])
  if (metadata?.annotations?.[keys.surge] !== 'Auto' || !isChosen || template?.spec === undefined) return deployment
  const { namespace = '', name = '' } = metadata
  // Without a look at the room nothing is lost but the choice: whoever goes back in need is not to be kept from it.
  const placement = await findPlaces(client, {
    pod: template.spec,
    own: { namespace, service: name, revision },
    replicas: spec?.replicas ?? 1,
    surge: 'Auto',
    signal,
  }).catch(() => undefined)
  const kind = placement?.kind
  if (kind === now || !(kind === 'Surge' || kind === 'Swap' || kind === 'Recreate')) return deployment
  return { ...deployment, spec: { ...spec, strategy: strategies[kind] } as NonNullable<Deployment['spec']> }
}
