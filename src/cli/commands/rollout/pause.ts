import type { CliContext } from '../../context.ts'
import { type OrderFlags, giveOrder, useService } from '../../rollout/give-order.ts'
import { describeStep } from '../../view/rollout-words.ts'

/** It holds its weight; an alarm of the judge still turns it back. */
export async function pause(this: CliContext, flags: OrderFlags, name: string): Promise<void> {
  await useService(this, flags, name, async (seen) => {
    const { rollout } = seen.service
    const at = rollout === null ? undefined : describeStep(rollout)
    const done = `the rollout of revision ${rollout?.to}${at === undefined ? '' : ` at ${at}`}; \`towline resume ${name}\` lets it go on`
    const order = { verb: 'Pause', plan: seen.plan } as const
    const answer = await giveOrder(this, seen, flags, { order, label: 'paused', done })
    if (flags.json) this.terminal.out(JSON.stringify(answer, undefined, 2))
  })
}
