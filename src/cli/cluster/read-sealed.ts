import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hasErrors } from '../../base/diagnostic.ts'
import { TowlineError } from '../../base/errors.ts'
import type { ClusterService } from '../../spec/cluster-service.ts'
import { sealForCluster } from '../../spec/seal-for-cluster.ts'
import { lockFileOf, readLock } from '../image/lock-file.ts'
import { printDiagnostics } from '../term/failure.ts'
import type { Terminal } from '../term/terminal.ts'

export interface SealedSpec {
  readonly clusterService: ClusterService
  /** The document as a cluster stores it. */
  readonly document: unknown
}

/** From a spec and the lock beside it to what a cluster gets. Prints all findings; TL_SPEC_INVALID when one of them is an error. */
export async function readSealed(terminal: Terminal, file: string, overlay: string | undefined): Promise<SealedSpec> {
  const lock = await readLock(terminal, findLock(file, overlay))
  const { clusterService, document, diagnostics } = await sealForCluster(file, { overlay, lock })
  printDiagnostics(terminal, diagnostics)
  if (clusterService !== undefined && !hasErrors(diagnostics)) return { clusterService, document }
  const count = diagnostics.filter(({ severity }) => severity === 'error').length
  throw new TowlineError('TL_SPEC_INVALID', `${count} ${count === 1 ? 'error' : 'errors'} in ${file}`)
}

/** An overlay may have an image of its own; otherwise it has that of the spec. */
function findLock(file: string, overlay: string | undefined): string {
  const own = join(dirname(file), basename(lockFileOf(file, overlay)))
  return existsSync(own) ? own : lockFileOf(file, undefined)
}
