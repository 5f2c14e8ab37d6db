import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceStatus } from '../control/api.ts'
import { type Asked, explainRefusal, hasChanged, type TestedService } from './tested-service.ts'

const digest = `sha256:c01d44${'0'.repeat(58)}`
const other = `sha256:7793a8${'0'.repeat(58)}`
const asked: Asked = { file: 'towline.yaml', environment: 'staging', digest }
const service: TestedService = {
  name: 'cats',
  phase: 'Ready',
  summary: '2 of 2 replicas serve',
  environment: 'staging',
  revision: 3,
  rollout: null,
  model: { digest },
}
/** Only its two revisions are told. */
const rollout = { from: 3, to: 4 } as ServiceStatus['rollout']

const refusal = (seen: Partial<TestedService>, more: Partial<Asked> = {}): string | undefined => {
  const error = explainRefusal({ ...service, ...seen }, { ...asked, ...more })
  return error === undefined ? undefined : `${error.code} ${error.detail} (${error.hint})`
}

test('the service that the file names, in the environment asked for, is tested', () => {
  assert.equal(refusal({}), undefined)
  assert.equal(refusal({ phase: 'Degraded' }), undefined)
  assert.equal(refusal({ environment: null }, { environment: undefined }), undefined)
})

test('another model, another environment, and a change under way are refused with the way out', () => {
  assert.equal(
    refusal({ model: { digest: other } }),
    'TL_TEST_FAILED cats serves sha256 7793a8…, and towline.yaml names sha256 c01d44…; nothing was sent (`towline up towline.yaml --env staging` brings up what the file names)',
  )
  assert.equal(
    refusal({ environment: null }),
    'TL_TEST_FAILED cats was brought up with no --env, not with --env staging; nothing was sent (`towline up towline.yaml --env staging` brings it up)',
  )
  assert.match(refusal({}, { environment: undefined }) ?? '', /with --env staging, not with no --env/)
  assert.match(refusal({ rollout }) ?? '', /^TL_NOT_READY cats goes from revision 3 to 4/)
  assert.match(refusal({ phase: 'Failed', summary: 'it crashes' }) ?? '', /^TL_NOT_READY cats is Failed: it crashes/)
})

test('a change of model, revision or overlay meanwhile is noticed, a replica that restarts is not', () => {
  assert.equal(hasChanged(service, { ...service, phase: 'Degraded' }), false)
  for (const change of [{ model: { digest: other } }, { revision: 4 }, { environment: null }, { rollout }])
    assert.equal(hasChanged(service, { ...service, ...change }), true)
})
