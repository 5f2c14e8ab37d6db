import { hashOf } from '../base/canonical.ts'
import type { Service } from './service.ts'

/**
 * Identity of a revision: a hash of the fields whose change replaces replicas. It is taken from the resolved service, so
 * `60s` → `1m` and writing out a default are no change; the number of replicas is none either.
 */
export function revisionOf(service: Service): string {
  // The order of `env` means nothing to a process.
  const env = service.env.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return hashOf(Object.fromEntries(revisionFields.map((field) => [field, field === 'env' ? env : service[field]])))
}

/** What is marked `[R]` in the schema. */
export const revisionFields = ['model', 'runtime', 'env', 'serving', 'resources', 'lifecycle'] as const
