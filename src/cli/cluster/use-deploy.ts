import { openKubeClient } from '../../kube/open-kube-client.ts'
import { type DeployTarget, type PreparedDeploy, prepareDeploy } from '../../cluster/plan/prepare-deploy.ts'
import { renderObjects } from '../../render/rendered-service.ts'
import type { CliContext } from '../context.ts'
import type { ClusterFlags } from '../place-flags.ts'
import { openProgress } from '../term/progress.ts'
import { readSealed } from './read-sealed.ts'

export interface DeployWishes extends ClusterFlags {
  readonly env?: string
  readonly adopt: boolean
  readonly expectNodes: boolean
}

export interface Deploy {
  readonly target: DeployTarget
  readonly prepared: PreparedDeploy
}

/** From a spec to its plan on a cluster; the connection is closed when `work` is over. */
export async function useDeploy<T>(
  { terminal }: Pick<CliContext, 'terminal'>,
  {
    env,
    context,
    namespace,
    adopt,
    expectNodes,
    wait = true,
    signal,
  }: DeployWishes & { readonly signal?: AbortSignal; readonly wait?: boolean },
  file: string,
  work: (deploy: Deploy) => Promise<T>,
): Promise<T> {
  const { clusterService: service } = await readSealed(terminal, file, env)
  const client = await openKubeClient({
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  })
  const progress = openProgress(terminal, 'plan', `asking ${client.context}`)
  try {
    const rendered = renderObjects(service, {
      namespace: namespace ?? service.namespace ?? client.namespace,
      environment: env,
    })
    const cut = signal === undefined ? {} : { signal }
    const target = { client, service, rendered, adopt, expectNodes, wait, ...cut }
    const prepared = await prepareDeploy(target)
    progress.end()
    return await work({ target, prepared })
  } finally {
    progress.end()
    await client.close()
  }
}
