import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type ErrorCode, TowlineError, codes } from '../base/errors.ts'
import type { ProjectPaths } from '../engine/paths.ts'
import type { EvidencePace } from '../engine/rollout/evidence.ts'

/** The only argument of `engine-process`, as JSON. */
export interface EngineStart {
  readonly projectDir: string
  readonly leaseMs: number
  /** Between two looks of an autoscaler; absent: a cluster's own. */
  readonly scaleSyncMs?: number | undefined
  /** Windows of evidence for a canary; absent: the engine's own. */
  readonly evidencePace?: EvidencePace | undefined
  /** False: replicas are killed without draining; absent: they drain. */
  readonly drains?: boolean | undefined
  /** Where an engine that cannot start says why. */
  readonly failureFile: string
}

export interface StartFailure {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint?: string
}

/** Renewed each second: a shorter one would lapse under an engine that is only slow. */
export const minLeaseMs = 3000

/** One for each try: two terminals may start an engine at the same time. */
export function failureFile({ run }: ProjectPaths, startedBy: number): string {
  return join(run, `engine-start-${startedBy}.json`)
}

export function describeFailure(error: unknown): StartFailure {
  if (!(error instanceof TowlineError)) return { code: 'TL_ENGINE_START', detail: String(error) }
  const { code, detail, hint } = error
  return hint === undefined ? { code, detail } : { code, detail, hint }
}

export function readFailure(file: string): TowlineError | undefined {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('code' in value) || !('detail' in value)) return undefined
  if (typeof value.code !== 'string' || !Object.hasOwn(codes, value.code)) return undefined
  const hint = 'hint' in value && typeof value.hint === 'string' ? { hint: value.hint } : {}
  return new TowlineError(value.code as ErrorCode, String(value.detail), hint)
}

const form = z.strictObject({
  projectDir: z.string().min(1),
  leaseMs: z.number(),
  failureFile: z.string().min(1),
  scaleSyncMs: z.number().optional(),
  evidencePace: z.strictObject({ windowMs: z.number().positive(), warmUpMs: z.number().min(0) }).optional(),
  drains: z.boolean().optional(),
}) satisfies z.ZodType<EngineStart>

export function parseEngineStart(text: string | undefined): EngineStart {
  const result = form.safeParse(JSON.parse(text ?? 'null'))
  if (result.success) return result.data
  throw new TowlineError('TL_USAGE', `engine-process needs an EngineStart as JSON (${z.prettifyError(result.error)})`)
}
