import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStore } from '../../store/store.ts'
import { countDesired, createRecords, findRevision } from './records.ts'

test('a service from before there were rollouts goes on: the revision it wanted is the one that serves', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-records-'))
  const store = openStore(join(dir, 'state.sqlite'))
  t.after(() => {
    store.close()
    rmSync(dir, { recursive: true })
  })
  const service = { name: 'cats', model: { path: '/models/cats', name: 'cats', format: 'onnx' }, replicas: 3 }
  const revisions = [
    { number: 4, hash: 'a', service },
    { number: 5, hash: 'b', service },
  ]
  store.put('service', 'cats', { name: 'cats', target: 5, port: 8080, revisions, rejected: null, stopping: false })
  const [record] = createRecords(store).services.list()
  assert.ok(record !== undefined)
  assert.deepEqual([record.stable, record.target, countDesired(record), record.rollout], [5, 5, 3, null])
  const serving = findRevision(record, record.stable)
  assert.deepEqual([serving.modelPath, serving.proven, serving.service.rollout.steps], ['/models/cats', true, []])
})
