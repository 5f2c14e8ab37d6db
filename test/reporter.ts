import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/**
 * A line for each file that had a process of its own, failures with place and cause, skipped tests with their reason, then one
 * closing line that a machine can count.
 */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const count = { passed: 0, failed: 0, skipped: 0 }
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message
    if (type === 'test:summary' && data.file !== undefined) {
      const { tests, passed, skipped, todo } = data.counts
      const seconds = (data.duration_ms / 1000).toFixed(1).padStart(6)
      yield `${seconds} s  ${relative('.', data.file)}  ${renderCounts({ passed, failed: tests - passed - skipped - todo, skipped: skipped + todo })}\n`
    }
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue
    const name = `${data.name} (${relative('.', data.file ?? '')}:${data.line})`
    if (data.skip !== undefined || data.todo !== undefined) {
      count.skipped++
      yield `SKIP ${name}: ${data.skip ?? data.todo}\n`
    } else if (type === 'test:pass') count.passed++
    else {
      count.failed++
      const { error } = data.details
      yield `FAIL ${name}\n${inspect(error.cause ?? error)}\n\n`
    }
  }
  // A pattern that matched nothing must not look like success.
  if (count.passed + count.failed === 0) process.exitCode = 1
  const countsFile = process.env['TOWLINE_TEST_COUNTS']
  if (countsFile !== undefined) writeFileSync(countsFile, JSON.stringify(count))
  yield `${renderCounts(count)}\n`
}

export function renderCounts({ passed, failed, skipped }: { passed: number; failed: number; skipped: number }): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
