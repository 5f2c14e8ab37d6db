import { resources } from '../../../../src/kube/resources.ts'
import { prepareApplied } from '../objects/applying.ts'
import { deleteObject } from '../objects/deleting.ts'
import { collectGarbage } from '../objects/garbage.ts'
import type { Kind } from '../objects/kind.ts'
import { matchesLabels } from '../objects/selectors.ts'
import { StatusFailure, notFound } from '../objects/status-failure.ts'
import { type JsonObject, type StoredObject, objectAt } from '../objects/stored-object.ts'
import { storeObject } from '../objects/storing.ts'
import { type WriteContext, prepareChange, renderTime } from '../objects/writing.ts'
import type { ObjectAddress } from './address.ts'
import { managerNeeded, readManager } from './changing.ts'
import { type Answer, type Exchange, type Service, isDryRun, json } from './exchange.ts'
import { mergePatch, placeAt, readIntent, readPatch, readSent, unsupportedMedia } from './sent-body.ts'

const scaleKind = { kind: 'Scale', apiVersion: 'autoscaling/v1', isBuiltIn: true }

/** `…/scale`: read, replaced, patched or applied. What it writes belongs to the manager of the subresource. */
export function serveScale(service: Service, exchange: Exchange, { resource, namespace, name }: ObjectAddress): Answer {
  const { store, clock, allocateAddress } = service.world
  const live = store.get(resource, namespace, name)
  if (live === undefined) throw notFound(resource, name)
  if (exchange.method === 'GET') return json(200, showScale(live))
  const isApply = exchange.headers['content-type']?.startsWith('application/apply-patch+yaml') === true
  if (isApply && exchange.query.get('fieldManager') === null) throw managerNeeded()
  const sent = placeAt(readScale(exchange, live, isApply), { namespace, name })
  const { replicas } = objectAt(sent, 'spec')
  const manager = readManager(exchange, isApply ? 'Apply' : 'Update', resource, 'scale')
  const context: WriteContext = { clock, allocateAddress, manager }
  const { resourceVersion } = objectAt(sent, 'metadata')
  const version = resourceVersion === undefined ? {} : { resourceVersion }
  const next = isApply
    ? prepareApplied(
        resource,
        live,
        { apiVersion: resource.apiVersion, kind: resource.kind, metadata: { name, ...version }, spec: { replicas } },
        { ...context, force: exchange.query.get('force') === 'true' },
      )
    : prepareChange(
        resource,
        live,
        {
          ...live,
          metadata: { ...live.metadata, resourceVersion },
          spec: { ...objectAt(live, 'spec'), replicas: replicas ?? 0 },
        },
        context,
      )
  return json(200, showScale(storeObject(service.world, resource, live, next, isDryRun(exchange))))
}

function readScale(exchange: Exchange, live: StoredObject, isApply: boolean): JsonObject {
  if (isApply) return readIntent(exchange, scaleKind)
  if (exchange.method === 'PUT') return readSent(exchange, scaleKind)
  if (exchange.headers['content-type']?.startsWith('application/merge-patch+json') !== true) throw unsupportedMedia()
  return mergePatch(showScale(live), readPatch(exchange)) as JsonObject
}

function showScale(object: StoredObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const { replicas = 0, selector } = objectAt(object, 'spec')
  const labels = objectAt({ selector }, 'selector', 'matchLabels')
  const text = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`)
  return {
    kind: scaleKind.kind,
    apiVersion: scaleKind.apiVersion,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: { replicas: objectAt(object, 'status')['replicas'] ?? 0, selector: text.join(',') },
  }
}

/** Deletes a pod if its budget lets it. */
export function serveEviction(service: Service, exchange: Exchange, address: ObjectAddress): Answer {
  const { world } = service
  const { resource, namespace, name } = address
  const sent = readPatch(exchange)
  const pod = world.store.get(resource, namespace, name)
  if (pod === undefined) throw notFound(resource, name)
  const isDry = isDryRun(exchange)
  if (!isEnding(pod)) askBudgets(service, pod, isDry)
  const options = objectAt(sent, 'deleteOptions')
  const { uid } = objectAt(options, 'preconditions')
  const grace = options['gracePeriodSeconds']
  deleteObject(world, resource, pod, {
    isDry,
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
  })
  collectGarbage(world)
  return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

/** Whoever does not run yet, or no more, is no loss. */
function isEnding({ metadata, status }: StoredObject): boolean {
  const { phase } = objectAt({ status }, 'status')
  return metadata.deletionTimestamp !== undefined || ['Pending', 'Succeeded', 'Failed'].includes(String(phase))
}

interface BudgetStatus {
  readonly disruptionsAllowed: number
  readonly currentHealthy: number
  readonly desiredHealthy: number
  readonly observedGeneration?: number
}

function askBudgets({ world }: Service, pod: StoredObject, isDry: boolean): void {
  const { namespace, labels, name } = pod.metadata
  const kind = world.kindOf(resources.podDisruptionBudgets)
  const budgets = world.store
    .list(kind, namespace)
    .filter((budget) => matchesLabels(objectAt(budget, 'spec')['selector'], labels))
  const [budget] = budgets
  if (budget === undefined) return
  if (budgets.length > 1) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'
    throw new StatusFailure(500, 'InternalError', message)
  }
  const status = objectAt(budget, 'status') as unknown as BudgetStatus
  const { currentHealthy, desiredHealthy, disruptionsAllowed } = status
  if (!isReady(pod) && currentHealthy >= desiredHealthy && desiredHealthy > 0) return
  refuse(budget, status)
  if (isDry) return
  const disruptedPods = { ...objectAt(budget, 'status', 'disruptedPods'), [name]: renderTime(world.clock) }
  putStatus(world.store, kind, budget, { disruptionsAllowed: disruptionsAllowed - 1, disruptedPods })
}

function refuse(
  budget: StoredObject,
  { disruptionsAllowed, desiredHealthy, currentHealthy, observedGeneration }: BudgetStatus,
): void {
  const { name, generation = 0 } = budget.metadata
  if ((observedGeneration ?? 0) < generation) {
    const cause = `The disruption budget ${name} is still being processed by the server.`
    throw tooMany(cause, 10)
  }
  if (disruptionsAllowed > 0) return
  throw tooMany(
    `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
  )
}

function tooMany(cause: string, retryAfterSeconds?: number): StatusFailure {
  const causes = [{ reason: 'DisruptionBudget', message: cause }]
  const message = "Cannot evict pod as it would violate the pod's disruption budget."
  return new StatusFailure(429, 'TooManyRequests', message, {
    details: { causes, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}

function isReady({ status }: StoredObject): boolean {
  const conditions = (objectAt({ status }, 'status')['conditions'] ?? []) as readonly JsonObject[]
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}

function putStatus(store: Service['world']['store'], kind: Kind, object: StoredObject, change: JsonObject): void {
  store.put(kind, { ...object, status: { ...objectAt(object, 'status'), ...change } })
}
