import type { ServiceStatus } from '../../../control/api.ts'
import type { CliContext } from '../../context.ts'
import { type FollowedOrderFlags, type Ordered, giveAndFollow, seeService } from '../../rollout/give-order.ts'
import { renderRow } from '../../term/layout.ts'

export async function rollback(
  this: CliContext,
  flags: FollowedOrderFlags,
  name: string,
  revision?: number,
): Promise<void> {
  const seen = await seeService(this, flags, name)
  const decided = decideRollback(seen.service, revision ?? null)
  if (!('nothing' in decided)) {
    await giveAndFollow(this, seen, flags, decided)
    return
  }
  const answer = { nothing: decided.nothing, status: seen.service }
  this.terminal.out(flags.json ? JSON.stringify(answer, undefined, 2) : renderRow('nothing', decided.nothing))
}

/** While a rollout goes on, the way back is its abort; but one that goes back already must not be turned round by saying it twice. */
export function decideRollback(
  { rollout, revision }: Pick<ServiceStatus, 'rollout' | 'revision'>,
  to: number | null,
): Ordered | { readonly nothing: string } {
  if (rollout === null) {
    const done = `${to === null ? 'the revision before it' : `revision ${to}`} is to take the place of revision ${revision}`
    return { order: { verb: 'Rollback', from: revision, to }, label: 'rollback', done }
  }
  const isGoingBack = rollout.to < rollout.from
  if (isGoingBack && (to === null || to === rollout.to))
    return {
      nothing: `revision ${rollout.to} is on its way back already; \`towline abort\` keeps revision ${rollout.from}`,
    }
  // Another goal than this rollout's own beginning is refused by the engine, with the way out.
  if (to !== null && to !== rollout.from)
    return { order: { verb: 'Rollback', from: revision, to }, label: 'rollback', done: `revision ${to} is to serve` }
  const done = `revision ${rollout.to} is taken back, revision ${rollout.from} serves`
  return { order: { verb: 'Abort', plan: rollout.id }, label: 'rollback', done }
}
