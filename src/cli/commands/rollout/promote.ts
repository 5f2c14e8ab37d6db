import type { CliContext } from '../../context.ts'
import { type FollowedOrderFlags, giveAndFollow, useService } from '../../rollout/give-order.ts'
import { describeStep } from '../../view/rollout-words.ts'

export interface PromoteFlags extends FollowedOrderFlags {
  readonly full: boolean
}

export async function promote(this: CliContext, flags: PromoteFlags, name: string): Promise<void> {
  await useService(this, flags, name, async (seen) => {
    const { rollout } = seen.service
    const at = rollout === null ? undefined : describeStep(rollout)
    const done = flags.full
      ? `revision ${rollout?.to} goes to full weight, whatever the judge says`
      : `revision ${rollout?.to} goes past ${at ?? 'what it was at'}`
    // The engine counts steps from 0; people count from 1.
    const step = rollout === null || rollout.step === null ? null : rollout.step - 1
    const order = { verb: 'Promote', plan: seen.plan, step, full: flags.full } as const
    await giveAndFollow(this, seen, flags, { order, label: 'promote', done })
  })
}
