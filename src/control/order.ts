import { z } from 'zod'
import { TowlineError } from '../base/errors.ts'
import type { ServiceOrder } from '../engine/rollout/orders.ts'

const plan = z.string().min(1).max(64).nullable().default(null)
const revision = z.int().min(1).max(1_000_000_000).nullable().default(null)

const order = z.discriminatedUnion('verb', [
  z.strictObject({
    verb: z.literal('Promote'),
    plan,
    step: z.int().min(0).max(100).nullable().default(null),
    full: z.boolean().default(false),
  }),
  z.strictObject({ verb: z.literal('Pause'), plan }),
  z.strictObject({ verb: z.literal('Resume'), plan }),
  z.strictObject({ verb: z.literal('Abort'), plan }),
  z.strictObject({ verb: z.literal('Rollback'), from: revision, to: revision }),
  z.strictObject({ verb: z.literal('Retry') }),
  z.strictObject({ verb: z.literal('Restart') }),
]) satisfies z.ZodType<ServiceOrder>

/** What a person tells a service, as it comes over the control socket. */
export function parseOrder(value: unknown): ServiceOrder {
  const result = order.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`)
  throw new TowlineError('TL_REQUEST_INVALID', `the order does not fit (${issues.join('; ')})`)
}
