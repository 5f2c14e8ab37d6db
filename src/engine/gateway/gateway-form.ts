import { z } from 'zod'
import { TowlineError } from '../../base/errors.ts'
import type { GatewayConfig, GatewayRoute, RevisionWeight, Succession } from './gateway-config.ts'

/** What comes from files and over the control socket, checked before anything acts on it. */

const port = z.int().min(0).max(65_535)
const durationMs = z.int().min(1).max(86_400_000)

const weight = z.strictObject({ revision: z.int().min(0), percent: z.int().min(0).max(100) })
const sumOf = (weights: readonly RevisionWeight[]): number => weights.reduce((sum, { percent }) => sum + percent, 0)

const route = z.strictObject({
  service: z.string().min(1).max(253),
  host: z.string().min(1),
  port,
  timeoutMs: durationMs,
  maxBodyBytes: z.int().min(1),
  waitMs: durationMs.default(2000),
  slowMs: durationMs.default(1000),
  apiKeys: z
    .array(z.strictObject({ caller: z.string().min(1).max(253), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .max(1000)
    .optional(),
  weights: z
    .array(weight)
    .max(1000)
    .refine((list) => new Set(list.map(({ revision }) => revision)).size === list.length, {
      error: 'two weights are for the same revision',
    })
    .refine((list) => sumOf(list) === 100, {
      error: ({ input }) => `the sum is ${sumOf(input as RevisionWeight[])} percent, and must be 100`,
    })
    .optional(),
  endpoints: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        revision: z.int().min(0).default(0),
        host: z.string().min(1),
        port: port.min(1),
      }),
    )
    .max(1000)
    .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'two endpoints have the same id'),
}) satisfies z.ZodType<GatewayRoute>

const config = z.strictObject({
  controlSocket: z.string().min(1),
  logFile: z.string().min(1),
  announceFile: z.string().min(1),
  routesFile: z.string().min(1),
  lease: z.strictObject({ file: z.string().min(1), leaseMs: durationMs }),
  drainTimeoutMs: z.int().min(0).max(86_400_000),
}) satisfies z.ZodType<GatewayConfig>

const succession = z.strictObject({
  entry: z.string().min(1),
  configFile: z.string().min(1),
  stderrFile: z.string().min(1),
}) satisfies z.ZodType<Succession>

export function parseSuccession(value: unknown): Succession {
  return check(succession, value, 'the succession')
}

export function parseRoute(value: unknown): GatewayRoute {
  return check(route, value, 'the route')
}

export function parseRoutes(value: unknown): GatewayRoute[] {
  return check(z.array(route), value, 'the list of routes')
}

export function parseConfig(value: unknown): GatewayConfig {
  return check(config, value, "the gateway's configuration")
}

function check<T>(form: z.ZodType<T>, value: unknown, what: string): T {
  const result = form.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`)
  throw new TowlineError('TL_REQUEST_INVALID', `${what} does not fit (${issues.join('; ')})`)
}
