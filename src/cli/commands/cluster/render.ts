import { renderObjects } from '../../../render/rendered-service.ts'
import { readSealed } from '../../cluster/read-sealed.ts'
import { writeManifests } from '../../cluster/write-manifests.ts'
import type { CliContext } from '../../context.ts'

export interface RenderFlags {
  readonly env?: string
  readonly namespace?: string
  readonly form: 'objects' | 'service'
  readonly json: boolean
}

/** What a cluster would get: the same bytes each time, so that it may be kept in a repository and applied by others. */
export async function render(this: CliContext, flags: RenderFlags, file: string): Promise<void> {
  const { terminal } = this
  const { clusterService, document: sealed } = await readSealed(terminal, file, flags.env)
  const named = flags.namespace === undefined ? {} : { namespace: flags.namespace }
  const given = sealed as { readonly metadata: object } // sealed: it has been checked
  const document = { ...given, metadata: { ...given.metadata, ...named } }
  const namespace = flags.namespace ?? clusterService.namespace ?? 'default'
  const objects =
    flags.form === 'service' ? [document] : renderObjects(clusterService, { namespace, environment: flags.env }).objects
  if (!flags.json) return terminal.out(writeManifests(objects))
  // A list, because `kubectl apply` reads no JSON array.
  const whole = flags.form === 'service' ? document : { apiVersion: 'v1', kind: 'List', items: objects }
  terminal.out(JSON.stringify(whole, undefined, 2))
}
