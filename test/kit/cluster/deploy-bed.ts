import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { systemClock } from '../../../src/base/clock.ts'
import { type DeployEnd, deployService } from '../../../src/cluster/deploy/deploy-service.ts'
import type { DeployPlan } from '../../../src/cluster/plan/deploy-plan.ts'
import { type DeployTarget, type PreparedDeploy, prepareDeploy } from '../../../src/cluster/plan/prepare-deploy.ts'
import type { KubeClient } from '../../../src/kube/kube-client.ts'
import { openKubeClient } from '../../../src/kube/open-kube-client.ts'
import { resources } from '../../../src/kube/resources.ts'
import { renderObjects } from '../../../src/render/rendered-service.ts'
import { resolveClusterService } from '../../../src/spec/resolve/resolve-cluster-service.ts'
import type { ModelServiceDocument } from '../../../src/spec/schema/model-service.ts'
import { sealedDocument } from '../cluster-service-sample.ts'
import type { Scope } from '../scope.ts'
import { type Cluster, openCluster } from './open-cluster.ts'

export type Spec = Partial<ModelServiceDocument['spec']>

/** A namespace of a control plane whose nodes and pods KWOK plays, with what tests of deploys ask of it. */
export interface DeployBed {
  readonly cluster: Cluster
  readonly client: KubeClient
  targetOf(name: string, spec: Spec, more?: Partial<DeployTarget>): DeployTarget
  /** Insists that nothing stands against it; a minute at most. */
  deploy(
    name: string,
    spec?: Spec,
    more?: Partial<DeployTarget>,
  ): Promise<{ readonly plan: DeployPlan; readonly end: DeployEnd; readonly prepared: PreparedDeploy }>
  readDeployment(name: string): Promise<Deployment>
  /** The version of everything that is applied, and of the ReplicaSets. */
  readVersions(name: string): Promise<Record<string, string>>
  /** Somebody with no rights but these, in every namespace. */
  openAs(test: Scope, name: string, rules: readonly object[]): Promise<KubeClient>
}

const namespace = 'ml'
const kinds =
  'serviceaccounts,configmaps,networkpolicies,services,deployments,poddisruptionbudgets,horizontalpodautoscalers,replicasets'

export const deployNamespace = namespace

/** Pods of this spec end as soon as they start. */
export const crashing: Spec = { pod: { patch: { metadata: { annotations: { 'towline.test/crash': 'true' } } } } }

/** Undefined: it cannot run here, and the scope has been told. */
export async function openDeployBed(scope: Scope): Promise<DeployBed | undefined> {
  const cluster = await openCluster(scope)
  if (cluster === undefined) return undefined
  await cluster.applyNodes([{ name: 'node-a' }, { name: 'node-b' }])
  await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
  const client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace })
  scope.after(() => client.close())
  const targetOf: DeployBed['targetOf'] = (name, spec, more = {}) => {
    const resourcesOfPod = { cpu: '100m', memory: '64Mi' }
    const document = sealedDocument({ resources: resourcesOfPod, ...spec })
    const service = resolveClusterService({ ...document, metadata: { name } })
    return { client, service, rendered: renderObjects(service, { namespace }), ...more }
  }
  return {
    cluster,
    client,
    targetOf,
    deploy: async (name, spec = {}, more = {}) => {
      const target = targetOf(name, spec, more)
      const prepared = await prepareDeploy(target)
      assert.deepEqual(prepared.plan.refusals, [])
      const signal = AbortSignal.timeout(60_000)
      const end = await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
      return { plan: prepared.plan, end, prepared }
    },
    readDeployment: async (name) => {
      const found = await client.get<Deployment>(resources.deployments, name)
      assert.ok(found)
      return found
    },
    readVersions: async (name) => {
      const label = `towline.dev/service=${name}`
      const { out } = await cluster.kubectl(['get', kinds, '-n', namespace, '-l', label, '-o', 'json'])
      const { items } = JSON.parse(out) as {
        items: { kind: string; metadata: { name: string; resourceVersion: string } }[]
      }
      return Object.fromEntries(
        items.map(({ kind, metadata }) => [`${kind} ${metadata.name}`, metadata.resourceVersion]),
      )
    },
    openAs: async (test, name, rules) => {
      const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name } }
      await cluster.apply([
        { ...rbac, kind: 'ClusterRole', rules },
        {
          ...rbac,
          kind: 'ClusterRoleBinding',
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
          subjects: [{ kind: 'ServiceAccount', name, namespace }],
        },
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
      ])
      const { out: token } = await cluster.kubectl(['create', 'token', name, '-n', namespace])
      const { out: config } = await cluster.kubectl(['config', 'view', '--raw', '-o', 'json'])
      const own = JSON.parse(config) as { users: { user: object }[] }
      for (const user of own.users) user.user = { token: token.trim() }
      const folder = mkdtempSync(join(tmpdir(), 'towline-person-'))
      test.after(() => rmSync(folder, { recursive: true }))
      writeFileSync(join(folder, 'config'), JSON.stringify(own))
      const person = await openKubeClient({ kubeconfig: join(folder, 'config'), namespace })
      test.after(() => person.close())
      return person
    },
  }
}
