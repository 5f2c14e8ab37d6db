import { applyCases } from './conformance/apply-cases.ts'
import type { ConformanceCase } from './conformance/case.ts'
import { defaultCases } from './conformance/default-cases.ts'
import { endingCases } from './conformance/ending-cases.ts'
import { listCases } from './conformance/list-cases.ts'
import { objectCases } from './conformance/object-cases.ts'
import { watchCases } from './conformance/watch-cases.ts'

/** What the fake API server and the real one have in common: run against both. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...objectCases,
  ...defaultCases,
  ...listCases,
  ...watchCases,
  ...applyCases,
  ...endingCases,
]
