import { parseQuantity, quantityMillis, quantityUnits } from '../../base/quantity.ts'
import type { ClusterService, EnvEntry, Exposure, GpuRequest, PodWishes } from '../cluster-service.ts'
import type { ModelServiceDocument } from '../schema/model-service.ts'
import { resolveService } from './resolve-service.ts'

type Spec = ModelServiceDocument['spec']

/** A sealed document that has passed all checks, with every default applied. */
export function resolveClusterService(document: ModelServiceDocument): ClusterService {
  const { metadata, spec } = document
  // Paths of a sealed document lie in the image, and what is secret is only ever referred to.
  const { env: _env, ...service } = resolveService(document, { baseDir: '/', env: {}, apiKeys: [] })
  const { cpuLimit } = spec.resources ?? {}
  return {
    service,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    image: spec.image ?? '',
    model: { uri: spec.model.uri, digest: spec.model.digest ?? '' },
    env: (spec.env ?? []).map(resolveEnv),
    ...(cpuLimit === undefined ? {} : { cpuLimitMillis: quantityMillis(quantity(cpuLimit)) }),
    ...(spec.gpu === undefined ? {} : { gpu: resolveGpu(spec.gpu) }),
    ...(spec.expose === undefined ? {} : { expose: resolveExposure(spec.expose) }),
    pod: resolvePod(spec.pod),
  }
}

function resolveEnv({ name, value, valueFrom }: NonNullable<Spec['env']>[number]): EnvEntry {
  if (valueFrom?.secretKeyRef !== undefined) return { name, from: { kind: 'Secret', ...valueFrom.secretKeyRef } }
  if (valueFrom?.configMapKeyRef !== undefined)
    return { name, from: { kind: 'ConfigMap', ...valueFrom.configMapKeyRef } }
  return { name, value: value ?? '' }
}

function resolveGpu(gpu: NonNullable<Spec['gpu']>): GpuRequest {
  const { count = 1, minMemory, minComputeCapability, sharing = 'Exclusive', mig, resourceName } = gpu
  const [major = 0, minor = 0] = minComputeCapability?.split('.').map(Number) ?? []
  return {
    count,
    sharing,
    ...(minMemory === undefined ? {} : { minMemoryBytes: quantityUnits(quantity(minMemory)) }),
    ...(minComputeCapability === undefined ? {} : { minComputeCapability: { major, minor } }),
    ...(mig === undefined ? {} : { mig }),
    ...(resourceName === undefined ? {} : { resourceName }),
  }
}

function resolveExposure({ hostnames = [], gatewayRef, allowFrom = [] }: NonNullable<Spec['expose']>): Exposure {
  return {
    hostnames,
    allowFrom,
    ...(gatewayRef === undefined
      ? {}
      : {
          gateway: {
            name: gatewayRef.name,
            ...(gatewayRef.namespace === undefined ? {} : { namespace: gatewayRef.namespace }),
          },
        }),
  }
}

function resolvePod(pod: Spec['pod']): PodWishes {
  const { serviceAccountName, patch } = pod ?? {}
  return {
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    imagePullSecrets: pod?.imagePullSecrets ?? [],
    nodeSelector: pod?.nodeSelector ?? {},
    tolerations: pod?.tolerations ?? [],
    volumes: pod?.volumes ?? [],
    mounts: pod?.mounts ?? [],
    ...(patch === undefined ? {} : { patch }),
  }
}

function quantity(value: string | number) {
  const parsed = parseQuantity(String(value))
  if (parsed === undefined) throw new Error(`the schema let the quantity ${value} through`)
  return parsed
}
