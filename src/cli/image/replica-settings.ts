import { drainOf } from '../../engine/replica/replica-config-file.ts'
import { imagePaths, imagePorts } from '../../image/plan/build-plan.ts'
import type { ReplicaConfig } from '../../serve/replica-config.ts'
import { planSessions } from '../../spec/model/model-sessions.ts'
import type { Service } from '../../spec/service.ts'

/**
 * What the replica in a container is told. Nothing is written to disk, so that its root may be read-only; an orchestrator
 * that knows more, such as the revision, mounts a file of its own and names it as the container's argument.
 */
export function describeSettings(service: Service, modelIsFolder: boolean): ReplicaConfig {
  const { name, model, serving } = service
  return {
    service: name,
    revision: 1,
    modelPath: modelIsFolder ? imagePaths.models : `${imagePaths.models}/model.onnx`,
    modelName: model.name,
    ...planSessions(service),
    // Of the container's own network; who reaches it is said where it runs.
    host: '0.0.0.0',
    port: imagePorts.http,
    metricsPort: imagePorts.metrics,
    ...serving,
    drainTimeoutMs: drainOf(service).drainMs,
    logFile: '-',
  }
}
