import { connectEngine } from '../control/client.ts'
import type { Place, ServiceControl } from '../control/service-control.ts'
import type { CliContext } from './context.ts'
import type { PlaceFlags } from './place-flags.ts'
import { findProjectDir } from './project.ts'

/** `context staging, namespace cats`, or the folder of a project. */
export function describePlace(place: Place): string {
  return place.kind === 'Engine' ? place.projectDir : `context ${place.context}, namespace ${place.namespace}`
}

/** The engine of this project; closed when `work` is over. */
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

async function openControl(cwd: string, { project }: PlaceFlags): Promise<ServiceControl> {
  return connectEngine(findProjectDir(cwd, project))
}
