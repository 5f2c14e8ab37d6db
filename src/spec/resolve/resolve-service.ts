import { resolve } from 'node:path'
import { parseQuantity, quantityMillis, quantityUnits } from '../../base/quantity.ts'
import { defaults } from '../defaults.ts'
import type { ModelServiceDocument } from '../schema/model-service.ts'
import { durationMs, resolveRollout } from './resolve-rollout.ts'
import type { ScalingRules, Service } from '../service.ts'
import type { ValidateOptions } from '../validate.ts'

/** Applies every default and puts the unit into every name. The document has passed all checks. */
export function resolveService(
  { metadata, spec }: ModelServiceDocument,
  { baseDir, env, apiKeys }: Required<Pick<ValidateOptions, 'baseDir' | 'env' | 'apiKeys'>>,
): Service {
  const { model, serving, resources, lifecycle } = spec
  return {
    name: metadata.name,
    model: {
      path: resolve(baseDir, model.uri),
      name: model.name ?? metadata.name,
      format: 'onnx',
      ...(model.digest === undefined ? {} : { digest: model.digest }),
    },
    runtime: { kind: 'onnx', threads: spec.runtime?.onnx?.threads ?? defaults.threads },
    env: (spec.env ?? []).map(({ name, value }) => ({
      name,
      value: (Object.hasOwn(env, name) ? env[name] : undefined) ?? value ?? '',
    })),
    serving: {
      timeoutMs: durationMs(serving?.timeout, defaults.timeoutMs),
      maxBodyBytes: bytes(serving?.maxBody) ?? defaults.maxBodyBytes,
      maxQueuedRows: serving?.maxQueuedRows ?? defaults.maxQueuedRows,
    },
    resources: {
      cpuMillis: resources?.cpu === undefined ? defaults.cpuMillis : quantityMillis(quantity(resources.cpu)),
      ...(resources?.memory === undefined ? {} : { memoryBytes: bytes(resources.memory) ?? 0 }),
    },
    ...resolveScaling(spec),
    ...(spec.expose?.apiKeys === undefined ? {} : { apiKeys }),
    lifecycle: {
      startupTimeoutMs: durationMs(lifecycle?.startupTimeout, defaults.startupTimeoutMs),
      drainTimeoutMs: durationMs(lifecycle?.drainTimeout, defaults.drainTimeoutMs),
    },
    paused: spec.paused ?? false,
    rollout: resolveRollout(spec.rollout, baseDir),
  }
}

/** An autoscaled service begins as a Deployment does, with one, or with the least there may be. */
function resolveScaling({
  replicas,
  autoscaling,
}: ModelServiceDocument['spec']): Pick<Service, 'replicas' | 'autoscaling'> {
  if (autoscaling === undefined) return { replicas: replicas ?? defaults.replicas }
  const { maxReplicas, targets = {}, prometheus = [], behavior, burst } = autoscaling
  const minReplicas = autoscaling.minReplicas ?? defaults.minReplicas
  return {
    replicas: Math.max(1, minReplicas),
    autoscaling: {
      minReplicas,
      maxReplicas,
      targets: withoutUndefined(targets),
      prometheus: prometheus.map(({ serverAddress, ...query }) => ({
        ...query,
        ...(serverAddress === undefined ? {} : { serverAddress }),
      })),
      ...(behavior === undefined
        ? {}
        : { behavior: { scaleUp: rules(behavior.scaleUp), scaleDown: rules(behavior.scaleDown) } }),
      ...(burst === undefined
        ? {}
        : {
            burst: {
              threshold: (burst.thresholdPercent ?? defaults.burst.thresholdPercent) / 100,
              windowMs: durationMs(burst.window, defaults.burst.windowMs),
            },
          }),
    },
  }
}

type Rules = NonNullable<NonNullable<ModelServiceDocument['spec']['autoscaling']>['behavior']>['scaleUp']

function rules({ tolerance, ...written }: NonNullable<Rules> = {}): Partial<ScalingRules> {
  const share = tolerance === undefined ? {} : { tolerance: quantityMillis(quantity(tolerance)) / 1000 }
  return { ...withoutUndefined(written), ...share }
}

type Defined<T> = { [key in keyof T]?: Exclude<T[key], undefined> }

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>
}

function bytes(value: string | number | undefined): number | undefined {
  return value === undefined ? undefined : quantityUnits(quantity(value))
}

function quantity(value: string | number) {
  const parsed = parseQuantity(String(value))
  if (parsed === undefined) throw new Error(`the schema let the quantity ${value} through`)
  return parsed
}
