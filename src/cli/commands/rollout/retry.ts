import type { CliContext } from '../../context.ts'
import { type FollowedOrderFlags, giveAndFollow, useService } from '../../rollout/give-order.ts'

export async function retry(this: CliContext, flags: FollowedOrderFlags, name: string): Promise<void> {
  await useService(this, flags, name, async (seen) => {
    const { rejected, rollout } = seen.service
    const done =
      rollout === null
        ? `what revision ${rejected?.revision} was is tried again, under a new number`
        : `the rollout of revision ${rollout.to} is judged again`
    await giveAndFollow(this, seen, flags, { order: { verb: 'Retry' }, label: 'retry', done })
  })
}
