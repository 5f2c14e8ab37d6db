import type { ClusterObservation } from '../../cluster/observation.ts'
import type { Explanation } from '../../cluster/explain/cause.ts'
import type { ServicePhase, ServiceStatus } from '../../engine/service-status.ts'
import { containerName } from '../../render/container.ts'
import { describeAutoscaler } from './autoscaler-status.ts'
import { describeCause, describePod } from './replica-status.ts'
import { listRevisions } from '../../cluster/revisions.ts'
import { describeRejected, describeRevisions, describeRollout, findShownTurn, modelDigestOf } from './revisions.ts'

const phases = {
  Missing: 'Stopping',
  Ready: 'Ready',
  Idle: 'Idle',
  Progressing: 'Updating',
  Paused: 'Updating',
  Degraded: 'Degraded',
  Failed: 'Failed',
  Stopping: 'Stopping',
} as const satisfies Record<Explanation['state'], ServicePhase>

/** A service of a cluster in the words of an engine's: what the commands show. */
export function describeService(observation: ClusterObservation, explanation: Explanation): ServiceStatus {
  const { name, namespace, deployment, autoscaler } = observation
  const revisions = listRevisions(observation)
  const { stable, candidate } = findShownTurn(observation)
  const [cause] = explanation.causes
  const rollout = describeRollout(observation, explanation.causes)
  const starting = explanation.state === 'Progressing' && rollout === null && explanation.replicas.desired > 0
  return {
    name,
    file: null,
    url: `http://${name}.${namespace}.svc`,
    port: 80,
    phase: starting ? 'Starting' : phases[explanation.state],
    // Whoever shows it names the service and its phase.
    summary: explanation.summary.replace(/^\S+ (is|has|goes) [a-z ]+: /, ''),
    environment: deployment?.metadata?.annotations?.['towline.dev/environment'] ?? null,
    revision: stable?.number ?? candidate?.number ?? 0,
    replicas: { desired: deployment?.spec?.replicas ?? 1, ready: explanation.replicas.serving },
    model: {
      name: deployment?.spec?.template?.metadata?.annotations?.['towline.dev/model-name'] ?? name,
      format: 'onnx',
      path: deployment?.spec?.template?.spec?.containers.find((each) => each.name === containerName)?.image ?? '',
      digest: stable === null ? '' : modelDigestOf(stable),
      sha256: null,
      sizeBytes: null,
    },
    traffic: null,
    scale: autoscaler === undefined ? null : describeAutoscaler(autoscaler),
    paused: deployment?.spec?.paused ?? false,
    rollout,
    rejected: describeRejected(observation, rollout),
    revisions: describeRevisions(observation),
    instances: observation.pods.map((pod) => describePod(pod, revisions, explanation.causes)),
    lastFailure: cause === undefined ? null : describeCause(cause),
  }
}
