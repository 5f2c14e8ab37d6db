import { resolve } from 'node:path'
import { parseDuration } from '../../base/duration.ts'
import { defaults } from '../defaults.ts'
import type { ModelServiceDocument } from '../schema/model-service.ts'
import type { Rollout, Tolerance } from '../service.ts'

type Written = NonNullable<ModelServiceDocument['spec']['rollout']>

/** `spec.rollout` with every default applied. The document has passed all checks. */
export function resolveRollout(written: Written = {}, baseDir: string): Rollout {
  const { steps = [], analysis, smoke = [], requires = [] } = written
  const bakeMs = durationMs(written.bake, defaults.rollout.bakeMs)
  const latency = analysis?.latency
  return {
    steps: steps.map(({ weight, bake, pause }) => ({
      weight,
      bakeMs: durationMs(bake, bakeMs),
      manual: pause === 'Manual',
    })),
    surge: written.surge ?? defaults.rollout.surge,
    bakeMs,
    analysis: {
      minRequests: analysis?.minRequests ?? defaults.rollout.minRequests,
      maxTimeMs: durationMs(analysis?.maxTime, defaults.rollout.maxTimeMs),
      errors: tolerance(analysis?.errors, defaults.rollout.errors),
      ...(latency === undefined
        ? {}
        : {
            latency: {
              ...tolerance(latency, defaults.rollout.latency),
              slowerThanMs: durationMs(latency.slowerThan, 0),
            },
          }),
    },
    onFailure: written.onFailure ?? defaults.rollout.onFailure,
    onInconclusive: written.onInconclusive ?? defaults.rollout.onInconclusive,
    smoke: smoke.map((path) => resolve(baseDir, path)),
    requires: requires.map(({ environment, maxAge }) => ({
      environment,
      maxAgeMs: maxAge === undefined ? null : durationMs(maxAge, 0),
    })),
    revisionHistoryLimit: written.revisionHistoryLimit ?? defaults.rollout.revisionHistoryLimit,
    warmRevisions: written.warmRevisions ?? (steps.length === 0 ? 0 : defaults.rollout.warmRevisions),
  }
}

interface WrittenTolerance {
  readonly maxPercentOfStable?: number | undefined
  readonly floorPerThousand?: number | undefined
}

function tolerance(
  written: WrittenTolerance | undefined,
  absent: { readonly maxPercentOfStable: number; readonly floorPerThousand: number },
): Tolerance {
  return {
    ratio: (written?.maxPercentOfStable ?? absent.maxPercentOfStable) / 100,
    floor: (written?.floorPerThousand ?? absent.floorPerThousand) / 1000,
  }
}

export function durationMs(text: string | undefined, absentMs: number): number {
  if (text === undefined) return absentMs
  const ms = parseDuration(text)
  if (ms === undefined) throw new Error(`the schema let the duration ${text} through`)
  return ms
}
