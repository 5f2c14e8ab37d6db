import { resolve } from 'node:path'
import { parseDuration } from '../base/duration.ts'
import { parseQuantity, quantityMillis, quantityUnits } from '../base/quantity.ts'
import { defaults } from './defaults.ts'
import type { ModelServiceDocument } from './schema/model-service.ts'
import type { Service } from './service.ts'

/** Applies every default and puts the unit into every name. The document has passed all checks. */
export function resolveService(
  { metadata, spec }: ModelServiceDocument,
  { baseDir, env }: { readonly baseDir: string; readonly env: Readonly<Record<string, string>> },
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
    replicas: spec.replicas ?? defaults.replicas,
    lifecycle: {
      startupTimeoutMs: durationMs(lifecycle?.startupTimeout, defaults.startupTimeoutMs),
      drainTimeoutMs: durationMs(lifecycle?.drainTimeout, defaults.drainTimeoutMs),
    },
  }
}

function durationMs(text: string | undefined, absentMs: number): number {
  if (text === undefined) return absentMs
  const ms = parseDuration(text)
  if (ms === undefined) throw new Error(`the schema let the duration ${text} through`)
  return ms
}

function bytes(value: string | number | undefined): number | undefined {
  return value === undefined ? undefined : quantityUnits(quantity(value))
}

function quantity(value: string | number) {
  const parsed = parseQuantity(String(value))
  if (parsed === undefined) throw new Error(`the schema let the quantity ${value} through`)
  return parsed
}
