import { TowlineError } from '../base/errors.ts'
import { connectEngine } from '../control/client.ts'
import type { Place, ServiceControl } from '../control/service-control.ts'
import type { CliContext } from './context.ts'
import { type PlaceFlags, isCluster } from './place-flags.ts'
import { findProjectDir } from './project.ts'

/** `context staging, namespace cats`, or the folder of a project. */
export function describePlace(place: Place): string {
  return place.kind === 'Engine' ? place.projectDir : `context ${place.context}, namespace ${place.namespace}`
}

/** The engine of this project, or the cluster that is named; closed when `work` is over. */
export async function useControl<T>(
  { cwd }: Pick<CliContext, 'cwd'>,
  flags: PlaceFlags,
  work: (control: ServiceControl) => Promise<T>,
): Promise<T> {
  const control = await openControl(cwd, flags)
  try {
    return await work(control)
  } finally {
    await control.close()
  }
}

async function openControl(cwd: string, flags: PlaceFlags): Promise<ServiceControl> {
  if (!isCluster(flags)) return connectEngine(findProjectDir(cwd, flags.project)).catch(throwWithCluster)
  if (flags.project !== undefined)
    throw new TowlineError('TL_USAGE', 'both `--project` and a cluster', {
      hint: 'services run in the engine of a project folder, or in a namespace of a cluster',
    })
  const { connectCluster } = await import('../control/cluster/cluster-control.ts')
  const { context, namespace } = flags
  return connectCluster({
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  })
}

/** Somebody who has just deployed to a cluster asks the laptop, and should know. */
function throwWithCluster(error: unknown): never {
  if (error instanceof TowlineError && error.code === 'TL_ENGINE_MISSING')
    throw new TowlineError(error.code, error.detail, {
      cause: error,
      hint: `${error.hint}; a cluster is asked with \`-n NAMESPACE\` or \`--context NAME\``,
    })
  throw error
}
