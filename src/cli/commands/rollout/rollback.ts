import type { CliContext } from '../../context.ts'
import { type FollowedOrderFlags, giveAndFollow, useService } from '../../rollout/give-order.ts'

/** While a rollout goes on, the way back is its abort; the engine knows, and says when it is on its way already. */
export async function rollback(
  this: CliContext,
  flags: FollowedOrderFlags,
  name: string,
  revision?: number,
): Promise<void> {
  await useService(this, flags, name, async (seen) => {
    const { rollout, revision: from } = seen.service
    const goal = revision === undefined ? 'the revision before it' : `revision ${revision}`
    const done =
      rollout === null
        ? `${goal} is to take the place of revision ${from}`
        : `revision ${rollout.to} is taken back, revision ${rollout.from} serves`
    const order = { verb: 'Rollback', from, to: revision ?? null } as const
    await giveAndFollow(this, seen, flags, { order, label: 'rollback', done })
  })
}
