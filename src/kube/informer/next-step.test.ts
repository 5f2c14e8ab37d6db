import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Course, type Outcome, decideStep, startCourse } from './next-step.ts'

const refused = (status: number, retryAfterMs = 0): Outcome => ({ kind: 'Refused', status, retryAfterMs })
const watching: Course = { doing: 'Watch', failures: 0, isSynced: true }

const next = (course: Course, outcome: Outcome, hasProgress = false) => {
  const step = decideStep(course, outcome, hasProgress, 0.5)
  assert(step.kind === 'Go')
  return step
}

test('a list leads to a watch, and the end of a watch to the next from where it was', () => {
  assert.deepEqual(next(startCourse, { kind: 'Listed' }), {
    kind: 'Go',
    course: { doing: 'Watch', failures: 0, isSynced: true },
    afterMs: 0,
  })
  assert.equal(next(watching, { kind: 'Ended' }, true).course.doing, 'Watch')
})

test('a forgotten version is listed anew; a connection that broke is not', () => {
  for (const status of [410, 400, 404]) assert.equal(next(watching, refused(status)).course.doing, 'List')
  for (const outcome of [{ kind: 'Broken' }, { kind: 'Silent' }, refused(503)] as const)
    assert.equal(next(watching, outcome).course.doing, 'Watch')
})

test('a version from which no watch begins is passed over by a list in the end', () => {
  let course = watching
  for (let tries = 0; tries < 4; tries++) course = next(course, { kind: 'Malformed' }).course
  assert.equal(course.doing, 'List')
})

test('a first list that is refused for good ends it; later nothing does', () => {
  assert.equal(decideStep(startCourse, refused(403), false, 0).kind, 'Stop')
  assert.equal(decideStep(startCourse, refused(429), false, 0).kind, 'Go')
  assert.equal(decideStep({ ...watching, doing: 'List' }, refused(403), false, 0).kind, 'Go')
})

test('a server that asks for time gets it, up to half a minute', () => {
  assert.ok(next(watching, refused(429, 7000)).afterMs >= 7000)
  assert.ok(next(watching, refused(429, 3_600_000)).afterMs <= 30_000)
})

test('whatever happens, waits are bounded, grow with failures in a row and shrink with progress', () => {
  const outcomes = fc.constantFrom<Outcome>(
    { kind: 'Ended' },
    { kind: 'Broken' },
    { kind: 'Silent' },
    refused(500),
    refused(410),
  )
  fc.assert(
    fc.property(
      fc.array(fc.tuple(outcomes, fc.boolean())),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (steps, random) => {
        let course = watching
        for (const [outcome, hasProgress] of steps) {
          const step = decideStep(course, outcome, hasProgress, random)
          assert(step.kind === 'Go')
          assert.ok(step.afterMs >= 0 && step.afterMs <= 30_000)
          assert.equal(step.course.failures, (hasProgress ? 0 : course.failures) + 1)
          if (hasProgress) assert.ok(step.afterMs <= 200)
          course = step.course
        }
      },
    ),
  )
})
