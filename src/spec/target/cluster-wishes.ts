import { defaults } from '../defaults.ts'
import type { DocumentView } from '../rules/document-view.ts'
import type { Finding } from '../source/finding.ts'
import type { Path } from '../source/positioned-node.ts'

const overlay = 'take it out in an overlay for the cluster'

/** What a Deployment and a HorizontalPodAutoscaler cannot do, and whose silence would break a promise: refused. */
export const notYetOnCluster: readonly { readonly path: Path; readonly wayOut: string }[] = [
  { path: ['spec', 'profile'], wayOut: 'write what it holds into the spec' },
  { path: ['spec', 'model', 'auth'], wayOut: 'the model travels in the image; remove it' },
  { path: ['spec', 'model', 'cache'], wayOut: 'the model travels in the image; remove it' },
  { path: ['spec', 'rollout', 'steps'], wayOut: `a Deployment knows rolling changes only; ${overlay}` },
  { path: ['spec', 'rollout', 'requires'], wayOut: `the gate is asked by \`towline up\` so far; ${overlay}` },
  { path: ['spec', 'rollout', 'smoke'], wayOut: `nobody would send them; ${overlay}` },
  { path: ['spec', 'expose', 'apiKeys'], wayOut: `nothing would ask for them; ${overlay}, and let a gateway do it` },
  { path: ['spec', 'observability'], wayOut: overlay },
]

const ofCanaries = ['bake', 'analysis', 'onInconclusive', 'warmRevisions']
const requestTargets = ['concurrency', 'requestsPerSecond', 'queuedRows']

/** What takes no effect on a cluster and harms nobody there, each with the way out. */
export function checkClusterWishes(view: DocumentView): Finding[] {
  return [...checkAutoscaler(view), ...checkRolloutFields(view), ...checkGpu(view)]
}

function checkAutoscaler(view: DocumentView): Finding[] {
  const base = ['spec', 'autoscaling']
  const left = ['cpuPercent', 'memoryPercent'].filter((target) => view.has(...base, 'targets', target))
  const least = Math.max(1, view.numberAt(...base, 'minReplicas') ?? defaults.minReplicas)
  const rest =
    left.length === 0
      ? `the number of replicas stays at ${least} until somebody scales it; give \`cpuPercent\`, or run the service with \`towline up\``
      : `replicas follow ${left.join(' and ')} only`
  const ignored: Path[] = [
    ...requestTargets.map((target) => [...base, 'targets', target]),
    ...(view.listAt(...base, 'prometheus').length > 0 ? [[...base, 'prometheus']] : []),
    [...base, 'burst'],
  ].filter((path) => view.has(...path))
  const findings = ignored.map((path) =>
    warn(path, `\`${path.slice(1).join('.')}\` cannot be honoured by a plain HorizontalPodAutoscaler; ${rest}`),
  )
  if (view.numberAt(...base, 'minReplicas') === 0)
    findings.push(
      warn(
        [...base, 'minReplicas'],
        '`autoscaling.minReplicas` of 0 cannot be honoured by a plain HorizontalPodAutoscaler; it is 1',
      ),
    )
  return findings
}

function checkRolloutFields(view: DocumentView): Finding[] {
  const findings: Finding[] = ofCanaries
    .filter((field) => view.has('spec', 'rollout', field))
    .map((field) => ({
      path: ['spec', 'rollout', field],
      code: 'TL_TARGET_IGNORES',
      severity: 'info',
      message: `\`rollout.${field}\` is about canaries, which a Deployment does not have; it takes no effect`,
    }))
  const path = ['spec', 'rollout', 'onFailure']
  if (view.has(...path))
    findings.push(
      warn(
        path,
        '`rollout.onFailure` is what `towline deploy` does while it waits; applied by others or with --no-wait, a Deployment stops at the first pod that does not get ready, and old pods serve on',
      ),
    )
  return findings
}

function checkGpu(view: DocumentView): Finding[] {
  if (!view.has('spec', 'gpu')) return []
  return [
    warn(
      ['spec', 'gpu'],
      'the server of `towline build` computes on the CPU so far: its pods would hold their GPUs and not use them',
    ),
  ]
}

function warn(path: Path, message: string): Finding {
  return { path, code: 'TL_TARGET_IGNORES', severity: 'warning', message }
}
