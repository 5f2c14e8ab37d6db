import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BoundedQueue } from './bounded-queue.ts'

test('a full queue refuses at once, and an oversized item fits only into an empty one', () => {
  const queue = new BoundedQueue<string>(4)
  assert.equal(queue.push('a', 3), true)
  assert.equal(queue.push('b', 2), false)
  assert.equal(queue.push('c', 1), true)
  assert.equal(queue.weight, 4)
  assert.equal(queue.shift(), 'a')
  assert.equal(queue.shift(), 'c')
  assert.equal(queue.push('huge', 100), true)
  assert.equal(queue.push('next', 1), false)
})

test('any order of pushes, takes and removals equals a plain list', () => {
  const command = fc.oneof(
    fc.record({ do: fc.constant('push' as const), weight: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('shift' as const) }),
    fc.record({ do: fc.constant('remove' as const), modulo: fc.integer({ min: 2, max: 4 }) }),
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (commands, maxWeight) => {
      const queue = new BoundedQueue<number>(maxWeight)
      let model: { item: number; weight: number }[] = []
      const weightOf = (): number => model.reduce((sum, { weight }) => sum + weight, 0)
      commands.forEach((step, item) => {
        if (step.do === 'push') {
          const fits = model.length === 0 || weightOf() + step.weight <= maxWeight
          assert.equal(queue.push(item, step.weight), fits)
          if (fits) model.push({ item, weight: step.weight })
        } else if (step.do === 'shift') {
          assert.equal(queue.peek(), model[0]?.item)
          assert.equal(queue.shift(), model.shift()?.item)
        } else {
          const gone = queue.remove((value) => value % step.modulo === 0)
          assert.deepEqual(
            gone,
            model.map(({ item: value }) => value).filter((value) => value % step.modulo === 0),
          )
          model = model.filter(({ item: value }) => value % step.modulo !== 0)
        }
        assert.equal(queue.length, model.length)
        assert.equal(queue.weight, weightOf())
      })
    }),
  )
})
