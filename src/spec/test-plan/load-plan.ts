import { readBytes } from '../source/read-bytes.ts'
import { type ParsedTestPlan, parseTestPlan } from './parse-plan.ts'

/** Reads `towline.test.yaml`. What is wrong inside is returned; a missing file is thrown. */
export async function loadTestPlan(file: string): Promise<ParsedTestPlan> {
  return parseTestPlan(file, await readBytes(file))
}
