import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterObservation } from '../../src/cluster/observation.ts'

/** Where looks lie that were recorded from Kubernetes 1.35.4: a real kubelet, and nodes made up by kwok. */
export const recordedLooks = join(import.meta.dirname, '..', '..', 'src', 'cluster', 'explain', 'recorded')

export function readRecordedLook(name: string): ClusterObservation {
  return JSON.parse(readFileSync(join(recordedLooks, `${name}.json`), 'utf8')) as ClusterObservation
}
