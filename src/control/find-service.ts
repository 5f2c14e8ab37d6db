import { TowlineError } from '../base/errors.ts'
import type { ServiceStatus } from './api.ts'

/** The service of this name; TL_SERVICE_UNKNOWN names those there are. */
export function findService(services: readonly ServiceStatus[], name: string): ServiceStatus {
  const found = services.find((service) => service.name === name)
  if (found !== undefined) return found
  const known = services.length === 0 ? 'none is running' : `running: ${services.map((each) => each.name).join(', ')}`
  throw new TowlineError('TL_SERVICE_UNKNOWN', `\`${name}\` (${known})`)
}
