import type { TestContext } from 'node:test'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { resourceOf } from '../../src/cluster/apply/resource-of.ts'
import { setReplicas, withoutCount } from '../../src/cluster/apply/set-replicas.ts'
import { managers } from '../../src/cluster/concerns.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { resources } from '../../src/kube/resources.ts'
import { renderObjects } from '../../src/render/rendered-service.ts'
import { resolveClusterService } from '../../src/spec/resolve/resolve-cluster-service.ts'
import type { ModelServiceDocument } from '../../src/spec/schema/model-service.ts'
import { sealedDocument } from './cluster-service-sample.ts'
import { type FakeApiServer, type FakeApiServerOptions, openFakeApiServer } from './fake-api-server/fake-api-server.ts'
import { type PlayOptions, playDeployments } from './fake-api-server/play-deployments.ts'

export interface FakeCluster {
  readonly server: FakeApiServer
  /** In namespace `default`. */
  readonly client: KubeClient
  /** Applies what is rendered of a service `cats`, or of another name, without looking at it first. */
  deploy(spec?: Partial<ModelServiceDocument['spec']>, name?: string): Promise<void>
  readDeployment(name?: string): Promise<Deployment>
}

/** An API server of this process whose Deployments are played, and a client of it; both end with the test. */
export async function openFakeCluster(
  t: TestContext,
  { fate, ...options }: FakeApiServerOptions & Pick<PlayOptions, 'fate'> = {},
): Promise<FakeCluster> {
  const server = await openFakeApiServer(t, options)
  playDeployments(t, server, fate === undefined ? {} : { fate })
  const client = await openKubeClient({ kubeconfig: server.kubeconfig, env: {} })
  t.after(() => client.close())
  return {
    server,
    client,
    deploy: async (spec = {}, name = 'cats') => {
      const service = resolveClusterService({ ...sealedDocument(spec), metadata: { name } })
      const { objects, replicas } = renderObjects(service, { namespace: 'default' })
      for (const object of objects) {
        const stored = await client.apply(resourceOf(object), withoutCount(object), { fieldManager: managers.spec })
        if (object.kind === 'Deployment')
          await setReplicas(client, stored as Deployment, { replicas: replicas ?? 1, specReplicas: replicas })
      }
    },
    readDeployment: async (name = 'cats') => {
      const found = await client.get<Deployment>(resources.deployments, name)
      if (found === undefined) throw new Error(`there is no Deployment ${name}`)
      return found
    },
  }
}
