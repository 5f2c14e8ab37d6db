import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import type { Refusal } from './deploy-plan.ts'

export interface ClusterFacts {
  readonly version: { readonly minor: number; readonly gitVersion: string }
  readonly hasMetrics: boolean
  readonly hasGateways: boolean
}

export async function readClusterFacts(client: KubeClient): Promise<ClusterFacts> {
  const [version, hasMetrics, hasGateways] = await Promise.all([
    client.version(),
    client.serves(resources.podMetrics),
    client.serves(resources.httpRoutes),
  ])
  return { version, hasMetrics, hasGateways }
}

/** Pure: what these objects ask for and this cluster passes over in silence. Versions are those in which it came on by default. */
export function listWarnings(objects: readonly KubeObject[], { version, hasMetrics }: ClusterFacts): readonly string[] {
  const deployment = objects.find(({ kind }) => kind === 'Deployment') as Deployment | undefined
  const autoscaler = objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler') as
    | HorizontalPodAutoscaler
    | undefined
  const container = deployment?.spec?.template.spec?.containers[0]
  const old = (minor: number): boolean => version.minor < minor
  const since = (minor: number): string => `Kubernetes 1.${minor}, and this is ${version.gitVersion}`
  const { scaleUp, scaleDown } = autoscaler?.spec?.behavior ?? {}
  const rules = [
    {
      when: old(30) && (container?.lifecycle?.preStop as { sleep?: unknown } | undefined)?.sleep !== undefined,
      say: `pods that end do not wait until nobody sends to them any more: a preStop sleep needs ${since(30)}; expect lost requests in each change`,
    },
    {
      when: old(27) && deployment !== undefined,
      say: `pods of an old and a new revision count as one when they are spread over nodes: matchLabelKeys needs ${since(27)}`,
    },
    {
      when:
        old(35) &&
        [scaleUp, scaleDown].some((rule) => (rule as { tolerance?: string } | undefined)?.tolerance !== undefined),
      say: `the tolerance of \`autoscaling.behavior\` is not honoured: it needs ${since(35)}; without it 10 % is tolerated`,
    },
    {
      when: autoscaler !== undefined && !hasMetrics,
      say: 'the autoscaler will see no figures and scale nothing: the cluster serves no metrics.k8s.io; install metrics-server, or give a fixed number of `replicas`',
    },
  ]
  return rules.filter(({ when }) => when).map(({ say }) => say)
}

/** Pure: what cannot be written at all. */
export function listMissingKinds(objects: readonly KubeObject[], { hasGateways }: ClusterFacts): readonly Refusal[] {
  if (hasGateways || !objects.some(({ kind }) => kind === 'HTTPRoute')) return []
  return [
    {
      code: 'TL_CLUSTER_REFUSED',
      detail: 'the cluster has no Gateway API, and `expose.gatewayRef` asks for an HTTPRoute',
      hint: 'install the Gateway API and a gateway, or leave out `expose.gatewayRef`',
    },
  ]
}
