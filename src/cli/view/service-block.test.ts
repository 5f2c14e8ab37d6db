import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRecordedLook } from '../../../test/kit/recorded-look.ts'
import { explainService } from '../../cluster/explain/explain-service.ts'
import { describeService } from '../../control/cluster/service-status.ts'
import { renderService } from './service-block.ts'

const plain = { style: (_style: unknown, text: string): string => text }

const show = (name: string): string => {
  const look = readRecordedLook(name)
  return renderService(plain, describeService(look, explainService(look)), look.atMs)
}

test('a service of a cluster is shown with its image and the nodes of its pods, never with files and processes', () => {
  const text = show('ready')
  assert.match(text, /^cats {2}Ready {2}\d of \d replicas serve$/m)
  assert.match(text, /^ {2}image +\S+$/m)
  assert.match(text, /REPLICA +PHASE +REVISION +NODE +AGE/)
  assert.doesNotMatch(text, /PID|PORT/)
})

test('an autoscaler that sees nothing is shown without a figure', () => {
  const text = show('hpa-no-metrics')
  assert.match(text, /^ {2}scale +\d+ of \d+ to \d+: .*cpu is not known/m)
  assert.doesNotMatch(text, /asks for 0|NaN|undefined|null/)
})

test('why a replica does not serve stands beside it', () => {
  assert.match(show('crash'), /Waiting .* it ended while it started with exit code 3/)
})
