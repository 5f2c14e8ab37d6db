import { type TestContext, after, before, test } from 'node:test'
import type { Scope } from './scope.ts'

/**
 * Opens something for all tests of a `describe` and ends it after them. Where it cannot run, they are skipped with the
 * reason. `timeoutMs`: of each test.
 */
export function openOnce(
  timeoutMs: number,
  open: (scope: Scope) => Promise<void>,
): (name: string, work: (t: TestContext) => unknown) => void {
  const ends: (() => unknown)[] = []
  let skipped: string | undefined
  before(async () => {
    await open({ after: (end) => void ends.push(end), skip: (reason) => void (skipped = reason) })
  })
  after(async () => {
    for (const end of ends.toReversed()) await end()
  })
  return (name, work) =>
    void test(name, { timeout: timeoutMs }, async (t) => {
      if (skipped === undefined) await work(t)
      else t.skip(skipped)
    })
}
