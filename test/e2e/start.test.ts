import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { collect, createProject, findProcesses, root, start, untilPrinted } from '../kit/command.ts'

const entry = join(root, 'src', 'cli', 'start.ts')

test('`npm start -- --once` classifies the cat and leaves nothing behind', async (t) => {
  const project = createProject(t)
  const { code, out, err } = await collect(start(['--once', '--port', '0', '--project', project], { entry }))
  assert.equal(code, 0, err)
  const [, classes = ''] = /chelsea\.jpg {2}→ (.*) {3}in [\d.]+ m?s/.exec(out) ?? assert.fail(out)
  const labels = classes.split('   ').map((part) => part.replace(/ [\d.]+ %$/, ''))
  assert.equal(labels.length, 5)
  assert.match(labels[0] ?? '', /cat|tabby/)
  assert.doesNotMatch(out + err, /\u001b/)
  assert.deepEqual(findProcesses(project), [])
})

test('Ctrl-C ends what `npm start` started', async (t) => {
  const project = createProject(t)
  const child = start(['--port', '0', '--project', project], { entry })
  await untilPrinted(child, /Ctrl-C/)
  assert.ok(findProcesses(project).length >= 4, 'engine, gateway and two replicas run')
  child.kill('SIGINT')
  const { code } = await collect(child)
  assert.equal(code, 0)
  assert.deepEqual(findProcesses(project), [])
})
