import { renderDuration } from '../../base/duration.ts'
import { defaults } from '../defaults.ts'
import type { Finding } from '../source/finding.ts'
import type { DocumentView } from './document-view.ts'

/** `towline.test.yaml` and `towline.train.yaml` are documents of their own. */
export const reservedOverlays = ['test', 'train']

export function isReservedOverlay(name: string): boolean {
  return reservedOverlays.includes(name)
}

export function checkRollout(view: DocumentView): Finding[] {
  const findings: Finding[] = []
  const steps = view.listAt('spec', 'rollout', 'steps')
  let before = 0
  for (const index of steps.keys()) {
    const weight = view.numberAt('spec', 'rollout', 'steps', index, 'weight')
    const path = ['spec', 'rollout', 'steps', index, 'weight']
    if (weight !== undefined && weight <= before)
      findings.push({
        code: 'TL_SPEC_WEIGHTS',
        path,
        message: `weight ${weight} does not rise above ${before} of the step before`,
      })
    if (weight === 100)
      findings.push({
        code: 'TL_SPEC_WEIGHTS',
        path,
        message:
          'weight 100 leaves nothing to compare with; remove the step: full weight follows the last one by itself',
      })
    before = weight ?? before
    if (view.has('spec', 'rollout', 'steps', index, 'bake') && view.has('spec', 'rollout', 'steps', index, 'pause')) {
      const message = 'a step either bakes for a time or pauses for a person; remove one of the two'
      findings.push({ code: 'TL_SPEC_STEP', path: ['spec', 'rollout', 'steps', index, 'pause'], message })
    }
  }
  if (steps.length > 0 && view.textAt('spec', 'rollout', 'surge') === 'Recreate') {
    const message =
      'surge Recreate stops the old revision first, so there is nothing to split; remove the steps or choose Swap'
    findings.push({ code: 'TL_SPEC_SURGE', path: ['spec', 'rollout', 'surge'], message })
  }
  const more = steps.length === 0 ? checkStepsMissing(view) : checkTimes(view)
  return [...findings, ...checkSwap(view), ...checkRequires(view), ...more]
}

/** The analysis must not be over before the steps are. */
function checkTimes(view: DocumentView): Finding[] {
  const findings: Finding[] = []
  const at = ['spec', 'rollout', 'analysis']
  if (view.durationMsAt(...at, 'latency', 'slowerThan') === 0) {
    const message = 'every answer is slower than 0s; say from when on one is too slow, for example 250ms'
    findings.push({ code: 'TL_SPEC_LIMIT', path: [...at, 'latency', 'slowerThan'], message })
  }
  const bakeMs = view.durationMsAt('spec', 'rollout', 'bake') ?? defaults.rollout.bakeMs
  const neededMs = [...view.listAt('spec', 'rollout', 'steps').keys()].reduce((sum, index) => {
    const step = ['spec', 'rollout', 'steps', index]
    return sum + (view.has(...step, 'pause') ? 0 : (view.durationMsAt(...step, 'bake') ?? bakeMs))
  }, 0)
  const maxTimeMs = view.durationMsAt(...at, 'maxTime') ?? defaults.rollout.maxTimeMs
  if (maxTimeMs > neededMs) return findings
  const message = `the steps bake for ${renderDuration(neededMs)}, and the analysis is over after ${renderDuration(maxTimeMs)}: raise analysis.maxTime, or let the steps bake less`
  const path = view.has(...at, 'maxTime') ? [...at, 'maxTime'] : ['spec', 'rollout', 'steps']
  return [...findings, { code: 'TL_SPEC_LIMIT', path, message }]
}

function checkRequires(view: DocumentView): Finding[] {
  const seen = new Set<string>()
  return [...view.listAt('spec', 'rollout', 'requires').keys()].flatMap((index): Finding[] => {
    const path = ['spec', 'rollout', 'requires', index, 'environment']
    const environment = view.textAt(...path)
    if (environment === undefined) return []
    if (isReservedOverlay(environment)) {
      const message = `no environment can be called \`${environment}\`: towline.${environment}.yaml is another kind of file`
      return [{ code: 'TL_SPEC_VALUE', path, message }]
    }
    if (seen.has(environment))
      return [{ code: 'TL_SPEC_DUPLICATE_ITEM', path, message: `\`${environment}\` is required twice; remove one` }]
    seen.add(environment)
    return []
  })
}

function checkSwap(view: DocumentView): Finding[] {
  if (view.textAt('spec', 'rollout', 'surge') !== 'Swap') return []
  const fixed = view.numberAt('spec', 'replicas') ?? (view.has('spec', 'autoscaling') ? undefined : 1)
  const least = fixed ?? view.numberAt('spec', 'autoscaling', 'minReplicas') ?? 1
  if (least >= 2) return []
  const message = `surge Swap ends a replica before another starts, and there may be only ${least}; have at least 2, or choose Surge, or Recreate where a gap is allowed`
  return [{ code: 'TL_SPEC_SURGE', path: ['spec', 'rollout', 'surge'], message }]
}

export const onlyWithSteps = ['bake', 'analysis', 'onInconclusive', 'onNoTraffic', 'warmRevisions']

/** One replica after the other is no experiment: nothing is compared, so nothing of this would have an effect. */
function checkStepsMissing(view: DocumentView): Finding[] {
  return onlyWithSteps
    .filter((field) => view.has('spec', 'rollout', field))
    .map((field) => ({
      code: 'TL_SPEC_STEP',
      path: ['spec', 'rollout', field],
      message: `\`${field}\` means nothing without \`steps\`; add for example \`steps: [{ weight: 5 }, { weight: 50 }]\`, or remove it`,
    }))
}
