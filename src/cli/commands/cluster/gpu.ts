import { hasErrors } from '../../../base/diagnostic.ts'
import { TowlineError } from '../../../base/errors.ts'
import { askOfPod } from '../../../cluster/inventory/ask-of-pod.ts'
import { listGpuNodes } from '../../../cluster/inventory/gpu-nodes.ts'
import { type Inventory, readInventory } from '../../../cluster/inventory/read-inventory.ts'
import { planPlacement } from '../../../decide/placement/plan-placement.ts'
import type { KubeClient } from '../../../kube/kube-client.ts'
import { openKubeClient } from '../../../kube/open-kube-client.ts'
import { renderPod } from '../../../render/pod.ts'
import type { ClusterService } from '../../../spec/cluster-service.ts'
import { loadSpec } from '../../../spec/load.ts'
import { resolveClusterService } from '../../../spec/resolve/resolve-cluster-service.ts'
import type { ModelServiceDocument } from '../../../spec/schema/model-service.ts'
import type { CliContext } from '../../context.ts'
import type { ClusterFlags } from '../../place-flags.ts'
import { printDiagnostics } from '../../term/failure.ts'
import type { Terminal } from '../../term/terminal.ts'
import { renderGpuNodes } from '../../view/gpu-table.ts'
import { type PlacementView, renderPlacement } from '../../view/placement-block.ts'

export interface GpuFlags extends ClusterFlags {
  readonly env?: string
  readonly cuda?: string
  readonly json: boolean
}

/** What a cluster has of GPUs and who holds them; with a spec, what of it would fit. Reads, and changes nothing. */
export async function gpu(this: CliContext, flags: GpuFlags, file?: string): Promise<void> {
  const { context, namespace, env, cuda } = flags
  if (file === undefined && (env !== undefined || cuda !== undefined))
    throw new TowlineError('TL_USAGE', `\`--${env === undefined ? 'cuda' : 'env'}\` without a file`, {
      hint: 'both say more about a spec: `towline gpu towline.yaml`',
    })
  const service = file === undefined ? undefined : await readService(this.terminal, file, env)
  const client = await openKubeClient({
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  })
  try {
    await showGpus(this.terminal, client, flags, service)
  } finally {
    await client.close()
  }
}

export async function showGpus(
  terminal: Pick<Terminal, 'out' | 'err'>,
  client: KubeClient,
  { namespace: asked, cuda, json }: GpuFlags,
  service?: ClusterService,
): Promise<void> {
  const namespace = asked ?? service?.namespace ?? client.namespace
  const inventory = await readInventory(client, { namespace })
  const nodes = listGpuNodes(inventory)
  const fit = service === undefined ? undefined : judgeFit(service, inventory, namespace, cuda)
  if (json) {
    const runtimeClasses = inventory.runtimeClasses?.map(({ metadata }) => metadata?.name) ?? null
    const told = { context: client.context, namespace, nodes, runtimeClasses, unseen: inventory.unseen }
    terminal.out(JSON.stringify({ ...told, ...(fit === undefined ? {} : { fit }) }, undefined, 2))
    return
  }
  for (const what of inventory.unseen) terminal.err(`  ${what} may not be seen by you in ${client.context}`)
  const lines = nodes.length === 0 ? [sayNone(client.context, inventory)] : renderGpuNodes(nodes)
  terminal.out([...lines, ...(fit === undefined ? [] : ['', ...renderPlacement(fit)])].join('\n'))
}

function sayNone(context: string, { nodes, unseen }: Inventory): string {
  if (unseen.includes('nodes')) return `nothing is known of GPUs in ${context}`
  return `${context} has no GPUs: ${nodes.length === 1 ? 'its only node offers none' : `none of its ${nodes.length} nodes offers any`}`
}

/** Without its lock: an image that is not built yet needs the same place. */
export async function readService(
  terminal: Terminal,
  file: string,
  overlay: string | undefined,
): Promise<ClusterService> {
  const loaded = await loadSpec(file, { target: 'Cluster', ...(overlay === undefined ? {} : { overlay }) })
  printDiagnostics(
    terminal,
    loaded.diagnostics.filter(({ severity }) => severity === 'error'),
  )
  if (hasErrors(loaded.diagnostics)) throw new TowlineError('TL_SPEC_INVALID', file)
  // It has just passed all checks.
  return resolveClusterService(loaded.document as ModelServiceDocument)
}

/** As if the next revision came in now. An autoscaler's number is the one that is there. */
function judgeFit(
  cluster: ClusterService,
  { nodes, pods, quotas, unseen, runtimeClasses }: Inventory,
  namespace: string,
  cudaVersion: string | undefined,
): PlacementView {
  const { name, replicas: written, autoscaling, rollout } = cluster.service
  const running = pods.filter((pod) => pod.namespace === namespace && pod.service === name && !pod.isTerminating).length
  const replicas = autoscaling === undefined || running === 0 ? written : running
  // Neither name has a part in where the pod finds a place.
  const { spec } = renderPod(cluster, { namespace, revision: '' }, '')
  const ask = askOfPod(spec ?? { containers: [] }, { runtimeClasses, cudaVersion })
  const own = { namespace, service: name, revision: '' }
  const placement = planPlacement({ nodes, pods, quotas, unseen, ask, own, replicas, surge: rollout.surge })
  return { name, replicas, ask, placement }
}
