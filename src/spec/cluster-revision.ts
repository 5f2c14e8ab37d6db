import { hashOf } from '../base/canonical.ts'
import type { ClusterService } from './cluster-service.ts'

const length = 10

/**
 * Identity of a revision on a cluster, ten hexadecimal digits: a hash of the fields whose change replaces pods. `60s` → `1m`,
 * writing out a default and another order of `env` are no change; replicas, autoscaling, labels and exposure are none either,
 * but for whether there is a gateway, which pods wait longer for before they end.
 */
export function clusterRevisionOf({
  service,
  image,
  model,
  env,
  cpuLimitMillis,
  gpu,
  pod,
  expose,
}: ClusterService): string {
  const { runtime, serving, resources, lifecycle } = service
  const { name, format } = service.model
  return hashOf({
    model: { name, format, ...model },
    runtime,
    image,
    env: env.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    serving,
    resources: { ...resources, cpuLimitMillis },
    gpu,
    lifecycle,
    pod,
    // Left out where there is none.
    gateway: expose?.gateway === undefined ? undefined : true,
  }).slice(0, length)
}
