import { checkDriver } from '../../compat/cuda.ts'
import type { NodeFacts, PodAsk, PodFacts, QuotaFacts } from './facts.ts'
import { gpuLabels } from './gpu-pod-parts.ts'
import { findMisfit, isExtended } from './node-fit.ts'
import { quotaAmount } from './room.ts'

interface Noted {
  readonly unseen?: readonly string[]
  readonly nodes: readonly NodeFacts[]
  readonly pods: readonly PodFacts[]
  readonly quotas: readonly QuotaFacts[]
  readonly ask: PodAsk
  readonly own: { readonly namespace: string; readonly service: string }
}

/** What a count of places does not know, or what may go wrong on a place that is there. Sentences without a full stop. */
export function notePlacement({ nodes, pods, quotas, ask, own, unseen = [] }: Noted): string[] {
  return [
    ...unseen.map((what) => `${what} may not be seen: there may be less room than is said here`),
    ...ask.unchecked.map((what) => `\`${what}\` was not looked at`),
    ...noteRivals(pods, ask, own),
    ...noteUnsaid(quotas, ask),
    ...noteDrivers(nodes, ask),
  ]
}

function noteRivals(pods: readonly PodFacts[], { requests }: PodAsk, own: Noted['own']): string[] {
  const devices = Object.keys(requests).filter(isExtended)
  const rivals = pods.filter(
    (pod) =>
      pod.node === undefined &&
      !pod.isTerminating &&
      !(pod.namespace === own.namespace && pod.service === own.service) &&
      devices.some((device) => (pod.requests[device] ?? 0) > 0),
  ).length
  if (rivals === 0) return []
  return [
    `${rivals === 1 ? '1 other pod waits' : `${rivals} other pods wait`} for ${devices.join(', ')} too, and may be first`,
  ]
}

/** A pod that says nothing of what a quota counts is refused. */
function noteUnsaid(quotas: readonly QuotaFacts[], ask: PodAsk): string[] {
  return quotas.flatMap(({ name, hard }) =>
    Object.keys(hard)
      .filter((counted) => /^((requests|limits)\.)?(cpu|memory)$/.test(counted) && quotaAmount(ask, counted) === 0)
      .map(
        (counted) =>
          `quota ${name} counts ${counted}, and these pods say none: they are refused unless a LimitRange does`,
      ),
  )
}

function noteDrivers(nodes: readonly NodeFacts[], ask: PodAsk): string[] {
  const { cudaVersion, ...placed } = ask
  if (cudaVersion === undefined) return []
  const notes: string[] = []
  for (const node of nodes.filter((each) => findMisfit(each, placed) === undefined)) {
    const driver = node.labels[gpuLabels.driver]
    if (driver === undefined) {
      notes.push(`${node.name} does not say which driver it has; CUDA ${cudaVersion} wants a certain one`)
      continue
    }
    const check = checkDriver(cudaVersion, driver)
    if (check.kind === 'TooOld')
      notes.push(
        `the scheduler knows no drivers and may choose ${node.name}, where CUDA ${cudaVersion} cannot start (${driver}, needs ${check.driver})`,
      )
    if (check.kind === 'Unknown')
      notes.push(`nothing is known of CUDA ${cudaVersion} on driver ${driver} (${node.name})`)
    if (check.kind === 'Warn')
      notes.push(
        `on ${node.name} (driver ${driver}) CUDA ${cudaVersion} runs, but code that is compiled at the start fails${check.driver === null ? '' : ` below driver ${check.driver}`}`,
      )
  }
  return notes
}
