import { basename, resolve } from 'node:path'
import { parseQuantity } from '../../base/quantity.ts'
import { durationMs } from '../resolve/resolve-rollout.ts'
import type { TestPlanDocument } from '../schema/test-plan.ts'

/** `towline.test.yaml` with every default applied: what a service must pass before it is let on. */
export interface TestPlan {
  readonly inferences: readonly InferenceTest[]
  readonly load?: LoadTest
}

export interface InferenceTest {
  readonly name: string
  /** Absolute path of a photo or a request as JSON. */
  readonly input: string
  readonly expect: Expectation
}

export type Expectation =
  | { readonly kind: 'Status'; readonly status: number }
  | { readonly kind: 'Label'; readonly label: string; readonly minPercent: number }
  | { readonly kind: 'Outputs'; readonly outputs: readonly ExpectedOutput[] }

export interface ExpectedOutput {
  readonly name: string
  readonly data: readonly TensorElement[]
  /** A number may be off by `absolute` plus `share` of what is expected. Absent: by what its datatype allows. */
  readonly tolerance?: Tolerance
}

export interface Tolerance {
  readonly share: number
  readonly absolute: number
}

export type TensorElement = number | string | boolean

export interface LoadTest {
  readonly input: string
  readonly requestsPerSecond: number
  readonly durationMs: number
  readonly maxErrorsPerThousand: number
  /** Null: any latency passes. */
  readonly p99Ms: number | null
}

/** The document has passed all checks. */
export function resolveTestPlan({ inferences = [], load }: TestPlanDocument, baseDir: string): TestPlan {
  return {
    inferences: inferences.map(({ name, input, expect }) => ({
      name: name ?? basename(input),
      input: resolve(baseDir, input),
      expect: resolveExpectation(expect),
    })),
    ...(load === undefined
      ? {}
      : {
          load: {
            input: resolve(baseDir, load.input),
            requestsPerSecond: load.requestsPerSecond,
            durationMs: durationMs(load.duration, 0),
            maxErrorsPerThousand: load.maxErrorsPerThousand ?? 0,
            p99Ms: load.p99 === undefined ? null : durationMs(load.p99, 0),
          },
        }),
  }
}

type WrittenExpectation = NonNullable<TestPlanDocument['inferences']>[number]['expect']
type WrittenOutput = NonNullable<WrittenExpectation['outputs']>[number]

function resolveExpectation({ label, minPercent = 0, status, outputs = [] }: WrittenExpectation): Expectation {
  if (label !== undefined) return { kind: 'Label', label, minPercent }
  if (status !== undefined) return { kind: 'Status', status }
  return { kind: 'Outputs', outputs: outputs.map(resolveOutput) }
}

function resolveOutput({ name, data, tolerancePercent, tolerance }: WrittenOutput): ExpectedOutput {
  const given = tolerancePercent !== undefined || tolerance !== undefined
  const nanos = parseQuantity(String(tolerance ?? 0))?.nanos ?? 0n
  return {
    name,
    // The schema has looked at each element.
    data: data as TensorElement[],
    ...(given ? { tolerance: { share: (tolerancePercent ?? 0) / 100, absolute: Number(nanos) / 1e9 } } : {}),
  }
}
