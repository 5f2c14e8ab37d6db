import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addPlace, readPlace } from './place-words.ts'

test('the place is that of the command line, however it is written', () => {
  assert.equal(readPlace(['status', 'cats', '--context', 'prod', '-n', 'ml']), '--context prod -n ml')
  assert.equal(readPlace(['status', '--context=prod', '--namespace=ml']), '--context prod -n ml')
  assert.equal(readPlace(['status', 'cats', '--namespace', 'ml']), '-n ml')
  assert.equal(readPlace(['status', 'cats']), undefined)
  assert.equal(readPlace(['status', '-n']), undefined)
})

test('commands about services get the place, others and those that have one stay', () => {
  const text = 'see `towline logs cats --previous`, then `towline build`; `towline why cats -n ml` says more'
  assert.equal(
    addPlace(text, '-n zoo'),
    'see `towline logs cats --previous -n zoo`, then `towline build`; `towline why cats -n ml` says more',
  )
  assert.equal(addPlace(text, undefined), text)
})
