import type { CliContext } from '../../context.ts'
import { type FollowedOrderFlags, giveAndFollow, useService } from '../../rollout/give-order.ts'

export async function abort(this: CliContext, flags: FollowedOrderFlags, name: string): Promise<void> {
  await useService(this, flags, name, async (seen) => {
    const { rollout } = seen.service
    const done = `revision ${rollout?.to} is taken back, revision ${rollout?.from} serves`
    const order = { verb: 'Abort', plan: seen.plan } as const
    await giveAndFollow(this, seen, flags, { order, label: 'aborting', done })
  })
}
