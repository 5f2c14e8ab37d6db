import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createObjectStore } from './object-store.ts'

const object = (name: string, version: string, more: { uid?: string; team?: string } = {}) => ({
  metadata: {
    name,
    namespace: 'a',
    uid: more.uid ?? name,
    resourceVersion: version,
    labels: { team: more.team ?? 'x' },
  },
})
type Kept = ReturnType<typeof object>

const open = () => createObjectStore<Kept>({ team: ({ metadata }) => [metadata.labels.team] })

test('what is put is told once, with what was known before', () => {
  const store = open()
  assert.deepEqual(
    store.put(object('a', '1')).map(({ kind }) => kind),
    ['Added'],
  )
  assert.deepEqual(store.put(object('a', '1')), [])
  const [change] = store.put(object('a', '2'))
  assert(change?.kind === 'Changed')
  assert.equal(change.before.metadata.resourceVersion, '1')
})

test('another object of the same name is the end of the first', () => {
  const store = open()
  store.put(object('a', '1', { uid: 'one' }))
  assert.deepEqual(
    store.put(object('a', '5', { uid: 'two' })).map(({ kind }) => kind),
    ['Removed', 'Added'],
  )
})

test('an index follows what changes and what goes', () => {
  const store = open()
  store.put(object('a', '1', { team: 'red' }))
  store.put(object('b', '1', { team: 'red' }))
  store.put(object('a', '2', { team: 'blue' }))
  assert.deepEqual(
    store.byIndex('team', 'red').map(({ metadata }) => metadata.name),
    ['b'],
  )
  store.remove(object('b', '3'))
  assert.deepEqual(store.byIndex('team', 'red'), [])
  assert.throws(() => store.byIndex('other', 'x'), /no index/)
})

test('a complete list shows what has gone', () => {
  const store = open()
  store.put(object('a', '1'))
  store.put(object('b', '1'))
  assert.deepEqual(
    store.findMissing([object('b', '2')]).map(({ metadata }) => metadata.name),
    ['a'],
  )
})
