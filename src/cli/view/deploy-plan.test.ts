import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeployPlan } from '../../cluster/plan/deploy-plan.ts'
import { renderDeployPlan } from './deploy-plan.ts'

const plan: DeployPlan = {
  context: 'prod',
  namespace: 'ml',
  name: 'cats',
  revision: { from: 'aaaa', to: 'bbbb' },
  objects: [],
  replicas: { from: 2, to: 2, by: 'Kept' },
  pods: null,
  placement: null,
  warnings: [],
  refusals: [],
}
const same = { kind: 'Service', name: 'cats', action: 'Same', fields: [] } as const
const render = (more: Partial<DeployPlan>): string => renderDeployPlan({ ...plan, ...more }).join('\n')

test('the answer comes first: new, nothing, in place, or another revision', () => {
  assert.match(
    render({ revision: { from: null, to: 'bbbb' } }),
    /^ {2}plan +cats in namespace ml of prod: new, revision bbbb/,
  )
  assert.match(render({ objects: [same] }), /: nothing changes, revision bbbb\n {2}unchanged +1 object\n/)
  const changed = { ...same, action: 'Changed' } as const
  assert.match(render({ objects: [changed], revision: { from: 'bbbb', to: 'bbbb' } }), /: revision bbbb stays/)
  assert.match(render({ objects: [changed] }), /: revision aaaa → bbbb/)
})

test('fields have short names, short digests and who set them; what follows from others is left out', () => {
  const image = (digit: string): string => `r.example/cats@sha256:${digit.repeat(64)}`
  const field = (path: string, from: unknown, to: unknown, setBy: readonly string[] = []) => ({ path, from, to, setBy })
  const fields = [
    field('spec.template.spec.containers[server].image', image('1'), image('2')),
    field('spec.template.spec.containers[server].resources.limits', null, { memory: '1Gi' }, ['kubectl-edit']),
    field('spec.template.metadata.labels[towline.dev/revision]', 'aaaa', 'bbbb'),
    field('spec.template.spec.volumes[towline-settings].configMap.name', 'a', 'b'),
    field('spec.progressDeadlineSeconds', 600, 700),
  ]
  const text = render({ objects: [{ kind: 'Deployment', name: 'cats', action: 'Changed', fields }] })
  assert.match(text, /^ +image {2}r\.example\/cats@sha256:111111… → r\.example\/cats@sha256:222222…$/m)
  assert.match(text, /^ +resources\.limits {2}absent → \{"memory":"1Gi"\} {3}set by kubectl-edit$/m)
  assert.match(text, /^ +progressDeadlineSeconds {2}600 → 700$/m)
  assert.doesNotMatch(text, /revision\]|towline-settings/)
})

test('pods are told with their manner and what it costs callers', () => {
  const pods = { replaced: 2, manner: 'Surge', because: ['containers[server].image'], isPaused: false } as const
  assert.match(
    render({ pods }),
    /pods +2 pods are replaced, one at a time, .*0 requests lost expected\n {2}because of +image$/m,
  )
  assert.match(render({ pods: { ...pods, replaced: 1, manner: 'Swap' } }), /1 pod is replaced, .*downtime/)
  assert.match(
    render({ pods: { ...pods, manner: 'Recreate', isPaused: true } }),
    /downtime; not before `paused` is false/,
  )
})

test('room is told with the manner where pods are replaced, and once where it is refused', () => {
  const placement = {
    kind: 'Surge',
    reason: 'there is room for 2 more',
    room: { wanted: 2, now: 2, whenEnded: 2, whenReplaced: 2 },
    notes: [],
  } as const
  const pods = { replaced: 2, manner: 'Surge', because: ['env[A]'], isPaused: false } as const
  assert.match(render({ placement }), / {2}placement +there is room for 2 more$/)
  assert.match(render({ placement, pods }), / {2}placement +Surge: there is room for 2 more$/)
  const refusals = [{ code: 'TL_DEPLOY_IMPOSSIBLE', detail: placement.reason }] as const
  assert.doesNotMatch(render({ placement, pods, refusals }), /placement/)
})

test('every refusal is told with what to do, and warnings before them', () => {
  const refusals = [
    { code: 'TL_CLUSTER_FORBIDDEN', detail: 'you may not', hint: 'ask' },
    { code: 'TL_DEPLOY_IMPOSSIBLE', detail: 'no room' },
  ] as const
  assert.match(
    render({ warnings: ['no metrics'], refusals }),
    / {2}warning +no metrics\n {2}refused +you may not \(ask\)\n {2}refused +no room$/,
  )
})
