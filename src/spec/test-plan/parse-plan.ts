import { dirname, resolve } from 'node:path'
import { type Diagnostic, hasErrors, sortDiagnostics } from '../../base/diagnostic.ts'
import { viewDocument } from '../rules/document-view.ts'
import { checkTestPlan } from '../rules/test-rules.ts'
import type { TestPlanDocument } from '../schema/test-plan.ts'
import { placeFinding } from '../source/finding.ts'
import { plainValue } from '../source/positioned-node.ts'
import { parseYamlSource } from '../source/yaml-source.ts'
import { resolveTestPlan, type TestPlan } from './plan.ts'

export interface ParsedTestPlan {
  /** Present when there is no error. */
  readonly plan?: TestPlan
  readonly diagnostics: readonly Diagnostic[]
}

/** All that is wrong with the text of a test plan at once, each at its place. Its inputs are looked for, not read. */
export async function parseTestPlan(file: string, bytes: Uint8Array): Promise<ParsedTestPlan> {
  const { root, diagnostics: texts } = await parseYamlSource(file, bytes)
  if (root === undefined) return { diagnostics: texts }
  const [{ checkShape }, { testPlanSchema }] = await Promise.all([
    import('../schema/findings.ts'),
    import('../schema/test-plan.ts'),
  ])
  const value = plainValue(root)
  const baseDir = dirname(resolve(file))
  const findings = [...checkShape(testPlanSchema, value), ...checkTestPlan(viewDocument(value), baseDir)]
  const diagnostics = sortDiagnostics([...texts, ...findings.map((finding) => placeFinding(root, finding))])
  if (hasErrors(diagnostics)) return { diagnostics }
  // The schema has just found nothing to say against it.
  return { plan: resolveTestPlan(value as TestPlanDocument, baseDir), diagnostics }
}
