import { hashOf } from '../base/canonical.ts'
import type { ClusterService } from './cluster-service.ts'

const length = 10

/**
 * Identity of a revision on a cluster, ten hexadecimal digits: a hash of the fields whose change replaces pods. `60s` → `1m` and
 * writing out a default are no change; another order of `env` is one, because in a pod a value may refer to those before it.
 * Replicas, autoscaling, labels and exposure are none, but for whether there is a gateway, for which pods wait longer before they end.
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
    env,
    serving,
    resources: { ...resources, cpuLimitMillis },
    gpu,
    lifecycle,
    pod,
    // Left out where there is none.
    gateway: expose?.gateway === undefined ? undefined : true,
  }).slice(0, length)
}
