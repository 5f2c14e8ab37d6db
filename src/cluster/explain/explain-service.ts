import type { ClusterObservation } from '../observation.ts'
import type { Cause, ExplainContext, Explanation, Finding } from './cause.ts'
import { countReplicas } from './counts.ts'
import { podRules, serviceRules } from './rules.ts'
import { type PodSight, type Sight, arrangeLook } from './sight.ts'
import { judgeState, summarize } from './state.ts'

/** What a service is up to, and why it is not as it should be. Pure: the time is that of the look. */
export function explainService(look: ClusterObservation, context: ExplainContext = {}): Explanation {
  const sight = arrangeLook(look, context)
  const replicas = countReplicas(look)
  const causes = [...gatherPodCauses(sight), ...serviceRules.flatMap((rule) => rule(sight))].toSorted(
    (a, b) => weigh(a) - weigh(b),
  )
  const state = judgeState(look, replicas, causes)
  return { state, summary: summarize(look, state, replicas, causes), causes, replicas }
}

function gatherPodCauses(sight: Sight): Cause[] {
  const found = sight.pods.flatMap((pod) => {
    const finding = podRules.map((rule) => rule(pod, sight)).find((finding) => finding !== undefined)
    return finding === undefined ? [] : [{ pod, finding }]
  })
  // The same of the same revision is told once, whoever has it.
  const alike = Map.groupBy(found, ({ pod, finding }) =>
    JSON.stringify([pod.revision, finding.reason, finding.sentence]),
  )
  return [...alike.values()].flatMap((group) => mergeCauses(group))
}

function mergeCauses(group: readonly { readonly pod: PodSight; readonly finding: Finding }[]): Cause[] {
  const [first, ...others] = group
  if (first === undefined) return []
  const names = group.map(({ pod }) => pod.name)
  return [
    {
      ...first.finding,
      subject: others.length === 0 ? `pod ${names[0]}` : `${names.length} pods (${names[0]}, …)`,
      revision: first.pod.revision,
      final: group.some(({ finding }) => finding.final),
      sinceMs: Math.min(...group.map(({ finding }) => finding.sinceMs)),
    },
  ]
}

/** What will not mend itself first, then what keeps replicas from serving; that nothing moves says least. */
function weigh({ final, blocks, reason }: Cause): number {
  const order: readonly Cause['blocks'][] = ['Rollout', 'Traffic', 'Scaling', 'Drain']
  return (final ? 0 : 10) + order.indexOf(blocks) * 2 + (reason === 'NoProgress' ? 1 : 0)
}
