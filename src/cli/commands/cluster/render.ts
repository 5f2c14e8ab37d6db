import { stringify } from 'yaml'
import { renderObjects } from '../../../render/rendered-service.ts'
import { readSealed } from '../../cluster/read-sealed.ts'
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
  const { clusterService, document } = await readSealed(terminal, file, flags.env)
  const namespace = flags.namespace ?? clusterService.namespace ?? 'default'
  const objects =
    flags.form === 'service' ? [document] : renderObjects(clusterService, { namespace, environment: flags.env }).objects
  if (flags.json) return terminal.out(JSON.stringify(flags.form === 'service' ? document : objects, undefined, 2))
  // YAML 1.1 is what Kubernetes reads: words such as `on` are quoted for it.
  terminal.out(
    objects
      .map((object) => `---\n${stringify(object, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 })}`)
      .join('')
      .trimEnd(),
  )
}
