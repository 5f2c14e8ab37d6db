import type { CliContext } from '../../context.ts'
import { type OrderFlags, giveOrder, useService } from '../../rollout/give-order.ts'

export async function resume(this: CliContext, flags: OrderFlags, name: string): Promise<void> {
  await useService(this, flags, name, async (seen) => {
    const done = `the rollout of revision ${seen.service.rollout?.to}; \`towline status ${name} --watch\` follows it`
    const order = { verb: 'Resume', plan: seen.plan } as const
    const answer = await giveOrder(this, seen, flags, { order, label: 'resumed', done })
    if (flags.json) this.terminal.out(JSON.stringify(answer, undefined, 2))
  })
}
