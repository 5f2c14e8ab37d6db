import { formatMs } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import type { DeployEnd } from '../../cluster/deploy/deploy-service.ts'
import type { DeployPlan } from '../../cluster/plan/deploy-plan.ts'
import { addPlace } from '../term/place-words.ts'

/** Undefined: nothing stands against it. The plan has been shown, with every refusal. */
export function explainRefusals({ name, refusals }: DeployPlan): TowlineError | undefined {
  const [first, ...more] = refusals
  if (first === undefined) return undefined
  const others = more.length === 0 ? '' : ` (and ${more.length} more, above)`
  const { code, detail, hint } = first
  return new TowlineError(code, `${name}, nothing was written: ${detail}${others}`, hint === undefined ? {} : { hint })
}

/** The failure that an end is for whoever wanted the new revision; undefined: it is as it should be. */
export function explainEnd(
  { name, namespace, revision, context }: DeployPlan,
  end: DeployEnd,
): TowlineError | undefined {
  const flags = `--context ${context} -n ${namespace}`
  if (end.kind === 'Late') {
    const why = end.cause === undefined ? '' : `: ${end.cause.sentence}`
    return new TowlineError(
      'TL_DEPLOY_FAILED',
      `${name}: revision ${revision.to} is not ready after ${formatMs(end.tookMs)}${why}`,
      { hint: `it goes on in the cluster; \`towline why ${name} ${flags}\` says how it stands` },
    )
  }
  if (end.kind !== 'Failed') return undefined
  const { cause, serving, back } = end
  const serves = serving === 1 ? '1 replica serves' : `${serving} replicas serve`
  const now =
    back.kind === 'Stays'
      ? serving === 0
        ? 'nothing serves'
        : back.reason === 'NothingBefore'
          ? serves
          : `${serves}, of the revision before it`
      : back.isReady
        ? `the revision before it is back, ${serves}`
        : `the revision before it was called back and is not ready yet, ${serves}`
  return new TowlineError(
    'TL_DEPLOY_FAILED',
    `${name}: revision ${revision.to}, ${cause.subject}: ${cause.sentence}; ${now}`,
    {
      hint: `${addPlace(cause.advice, flags)}; \`towline history ${name} ${flags}\` lists what was tried`,
    },
  )
}
