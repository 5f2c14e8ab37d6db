import assert from 'node:assert/strict'
import { resources } from '../../../../src/kube/resources.ts'
import { type ConformanceCase, assertStatus, causesOf } from './case.ts'
import { ownersOf } from './owners.ts'
import { applyType, mergeType, valueAt, versionOf } from './probe.ts'
import { configMap, container, deployment, withCustomKind } from './samples.ts'

const { configMaps, deployments } = resources
/** Nothing that a controller would have to do. */
const idle = { paused: true, replicas: 0 }
const image = '.spec.template.spec.containers[name="a"].image'

/** Server-side apply: who owns what. */
export const applyCases: readonly ConformanceCase[] = [
  {
    name: 'an apply creates, and owns what it says and nothing that was filled in',
    async run({ apply }) {
      const made = await apply(
        deployments,
        deployment(idle, [container({ ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] })]),
        'one',
      )
      assert.deepEqual([made.status, valueAt(made.body, 'spec.strategy.type')], [201, 'RollingUpdate'])
      const [entry, ...others] =
        made.body['metadata'] === undefined
          ? []
          : (valueAt(made.body, 'metadata.managedFields') as Record<string, unknown>[])
      assert.deepEqual(others, [])
      const { time, ...rest } = entry ?? {}
      assert.match(String(time), /^\d{4}-/)
      const containers = {
        'k:{"name":"a"}': {
          '.': {},
          'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
          'f:image': {},
          'f:name': {},
          'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
        },
      }
      const labels = { 'f:metadata': { 'f:labels': { 'f:app': {} } } }
      assert.deepEqual(rest, {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          ...labels,
          'f:spec': {
            'f:paused': {},
            'f:replicas': {},
            'f:selector': {},
            'f:template': { ...labels, 'f:spec': { 'f:containers': containers } },
          },
        },
      })
    },
  },
  {
    name: 'the same apply again changes nothing, not even the version',
    async run({ apply, settle, get }) {
      const limits = { cpu: '1000m', memory: '1024Mi' }
      const intent = deployment(idle, [container({ resources: { limits } })])
      await apply(deployments, intent, 'one')
      const before = await settle(deployments, 'd')
      const again = await apply(deployments, intent, 'one')
      assert.deepEqual([again.status, versionOf(again)], [200, versionOf(before)])
      assert.deepEqual((await get(deployments, 'd')).body, before.body)
      const made = await apply(configMaps, configMap('c', { x: '1' }), 'one')
      assert.equal(versionOf(await apply(configMaps, configMap('c', { x: '1' }), 'one')), versionOf(made))
      // A new owner of the same is a change, of ownership alone.
      assert.notEqual(versionOf(await apply(configMaps, configMap('c', { x: '1' }), 'two')), versionOf(made))
    },
  },
  {
    name: 'what two say is shared, what they say otherwise is a conflict that names owner and field',
    async run({ apply }) {
      await apply(deployments, deployment(idle), 'one')
      const shared = await apply(deployments, deployment(idle), 'two')
      assert.equal(shared.status, 200)
      assert.deepEqual(ownersOf(shared.body)['.spec.replicas'], ['one', 'two'])
      await apply(deployments, deployment(idle), 'one')
      const single = await apply(deployments, deployment(idle, [container({ image: 'other:1' })]), 'three')
      assertStatus(
        single,
        409,
        'Conflict',
        /^Apply failed with 2 conflicts: conflicts with "one":\n- .*image\nconflicts with "two":\n- /,
      )
      assert.deepEqual(causesOf(single), [`FieldManagerConflict ${image}`, `FieldManagerConflict ${image}`])
      const changed = await apply(
        deployments,
        deployment({ ...idle, paused: false }, [container({ image: 'other:1' })]),
        'two',
      )
      const words = `Apply failed with 2 conflicts: conflicts with "one":\n- .spec.paused\n- ${image}`
      assertStatus(changed, 409, 'Conflict', words)
    },
  },
  {
    name: 'force takes the fields from the others',
    async run({ apply }) {
      await apply(deployments, deployment(idle), 'one')
      const words = `Apply failed with 1 conflict: conflict with "one": ${image}`
      const intent = deployment(idle, [container({ image: 'other:1' })])
      assertStatus(await apply(deployments, intent, 'two'), 409, 'Conflict', words)
      const taken = await apply(deployments, intent, 'two', { force: 'true' })
      assert.equal(valueAt(taken.body, 'spec.template.spec.containers.0.image'), 'other:1')
      assert.deepEqual(ownersOf(taken.body)[image], ['two'])
      assert.deepEqual(ownersOf(taken.body)['.spec.replicas'], ['one', 'two'])
    },
  },
  {
    name: 'a field that its only owner drops goes, or falls back to its default',
    async run({ apply }) {
      const more = { revisionHistoryLimit: 3, minReadySeconds: 5 }
      await apply(deployments, deployment({ ...idle, ...more, replicas: 2 }), 'one')
      const dropped = await apply(deployments, deployment({ paused: true }), 'one')
      assert.equal(valueAt(dropped.body, 'spec.replicas'), 1)
      assert.equal(valueAt(dropped.body, 'spec.revisionHistoryLimit'), 10)
      assert.equal(valueAt(dropped.body, 'spec.minReadySeconds'), undefined)
      assert.equal(ownersOf(dropped.body)['.spec.replicas'], undefined)
    },
  },
  {
    name: 'a field that its owner drops stays while another owns it',
    async run({ apply }) {
      await apply(deployments, deployment({ paused: true, replicas: 2 }), 'one')
      const seed = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas: 2 } }
      await apply(deployments, seed, 'two')
      const dropped = await apply(deployments, deployment({ paused: true }), 'one')
      assert.equal(valueAt(dropped.body, 'spec.replicas'), 2)
      assert.deepEqual(ownersOf(dropped.body)['.spec.replicas'], ['two'])
    },
  },
  {
    name: 'items of lists with keys come and go one by one, atomic lists as a whole',
    async run({ apply }) {
      const env = (...names: readonly string[]): readonly object[] => names.map((name) => ({ name, value: name }))
      const tolerations = [{ key: 'a', operator: 'Exists' }]
      const full = deployment(idle, [container({ env: env('A', 'B'), args: ['x', 'y'] }), container({ name: 'b' })])
      const template = full['spec'] as { template: { spec: object } }
      const tolerant = {
        ...full,
        spec: { ...template, template: { ...template.template, spec: { ...template.template.spec, tolerations } } },
      }
      await apply(deployments, tolerant, 'one')
      const addition = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd' },
        spec: { template: { spec: { containers: [{ name: 'a', env: env('C') }] } } },
      }
      const added = await apply(deployments, addition, 'two')
      const names = (list: unknown): unknown =>
        (list as readonly { name: string }[] | undefined)?.map(({ name }) => name)
      assert.deepEqual(names(valueAt(added.body, 'spec.template.spec.containers.0.env')), ['A', 'B', 'C'])
      const fewer = await apply(deployments, deployment(idle, [container({ env: env('B'), args: ['y'] })]), 'one')
      assert.deepEqual(names(valueAt(fewer.body, 'spec.template.spec.containers')), ['a'])
      assert.deepEqual(names(valueAt(fewer.body, 'spec.template.spec.containers.0.env')), ['B', 'C'])
      assert.deepEqual(valueAt(fewer.body, 'spec.template.spec.containers.0.args'), ['y'])
      assert.equal(valueAt(fewer.body, 'spec.template.spec.tolerations'), undefined)
    },
  },
  {
    name: 'any other write takes what it changes, and an apply finds that out',
    async run({ apply, merge }) {
      await apply(configMaps, configMap('c', { x: '1', y: '1' }), 'one')
      const patched = await merge(configMaps, 'c', { data: { x: '2', z: '2' } }, { query: { fieldManager: 'hand' } })
      assert.deepEqual(ownersOf(patched.body), { '.data.x': ['hand'], '.data.y': ['one'], '.data.z': ['hand'] })
      const back = await apply(configMaps, configMap('c', { x: '1', y: '1' }), 'one')
      assertStatus(back, 409, 'Conflict', 'Apply failed with 1 conflict: conflict with "hand" using v1: .data.x')
      const forced = await apply(configMaps, configMap('c', { x: '1' }), 'one', { force: 'true' })
      assert.deepEqual(
        [forced.body['data'], ownersOf(forced.body)],
        [
          { x: '1', z: '2' },
          { '.data.x': ['one'], '.data.z': ['hand'] },
        ],
      )
      const removed = await merge(configMaps, 'c', { data: { x: null } }, { query: { fieldManager: 'hand' } })
      assert.deepEqual(ownersOf(removed.body), { '.data.z': ['hand'] })
    },
  },
  {
    name: 'without a name a writer is known by its program',
    async run({ call, path }) {
      const headers = { 'user-agent': 'prober/1.2 (x)' }
      const made = await call('POST', path(configMaps), { body: configMap('c', { x: '1' }), headers })
      assert.deepEqual(ownersOf(made.body), { '.data.x': ['prober'] })
    },
  },
  {
    name: 'the number of replicas is scaled beside the rest, and owned beside it',
    async run({ apply, call, path, settle }) {
      const scale = path(deployments, 'd', 'scale')
      await apply(deployments, deployment({ paused: true, replicas: 1 }), 'one')
      const shown = await call('GET', scale)
      assert.deepEqual(
        [shown.body['kind'], shown.body['apiVersion'], shown.body['spec']],
        ['Scale', 'autoscaling/v1', { replicas: 1 }],
      )
      assert.equal(valueAt(shown.body, 'status.selector'), 'app=d')
      const put = await call('PUT', scale, {
        body: { metadata: { name: 'd' }, spec: { replicas: 2 } },
        query: { fieldManager: 'hand' },
      })
      assert.deepEqual(put.body['spec'], { replicas: 2 })
      const scaled = await settle(deployments, 'd')
      assert.deepEqual(
        [valueAt(scaled.body, 'spec.replicas'), ownersOf(scaled.body)['.spec.replicas']],
        [2, ['hand scale']],
      )
      const words =
        'Apply failed with 1 conflict: conflict with "hand" with subresource "scale" using apps/v1: .spec.replicas'
      assertStatus(await apply(deployments, deployment({ paused: true, replicas: 1 }), 'one'), 409, 'Conflict', words)
      const kept = await apply(deployments, deployment({ paused: true }), 'one')
      assert.equal(valueAt(kept.body, 'spec.replicas'), 2)
      const patched = await call('PATCH', scale, {
        body: { spec: { replicas: 3 } },
        type: mergeType,
        query: { fieldManager: 'hand' },
      })
      assert.deepEqual(patched.body['spec'], { replicas: 3 })
      const intent = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'd' }, spec: { replicas: 4 } }
      const applied = await call('PATCH', scale, {
        body: intent,
        type: applyType,
        query: { fieldManager: 'towline-scale', force: 'true' },
      })
      assert.deepEqual(applied.body['spec'], { replicas: 4 })
      const last = await settle(deployments, 'd')
      assert.deepEqual(
        [valueAt(last.body, 'spec.replicas'), ownersOf(last.body)['.spec.replicas']],
        [4, ['towline-scale scale']],
      )
    },
  },
  {
    name: 'an apply must say who, what and where, and each item once',
    async run({ apply, call, path }) {
      const patch = (body: unknown, query: Record<string, string> = { fieldManager: 'one' }): ReturnType<typeof call> =>
        call('PATCH', path(configMaps, 'c'), { body, type: applyType, query })
      const nobody = await patch(configMap('c', {}), {})
      assertStatus(
        nobody,
        422,
        'Invalid',
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      )
      assertStatus(
        await patch(configMap('d', {})),
        400,
        'BadRequest',
        'the name of the object (d) does not match the name on the URL (c)',
      )
      const managed = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c', managedFields: [{ manager: 'x' }] },
      }
      assertStatus(await patch(managed), 400, 'BadRequest', 'metadata.managedFields must be nil')
      assertStatus(await patch({ metadata: { name: 'c' } }), 400, 'BadRequest', /^invalid object type: /)
      assertStatus(await patch('a: ['), 400, 'BadRequest', /^error decoding YAML/)
      const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: "1"}\n'
      assert.deepEqual((await patch(yaml)).body['data'], { x: '1' })
      const twice = await apply(deployments, deployment(idle, [container(), container()]), 'one')
      assertStatus(twice, 500, '', /\.spec\.template\.spec\.containers: duplicate entries for key \[name="a"\]$/)
    },
  },
  {
    name: 'an apply that was made for an old version is refused',
    async run({ apply, merge }) {
      const made = await apply(configMaps, configMap('c', { x: '1' }), 'one')
      await merge(configMaps, 'c', { data: { y: '1' } })
      const late = { ...configMap('c', { x: '2' }), metadata: { name: 'c', resourceVersion: versionOf(made) } }
      assertStatus(await apply(configMaps, late, 'one'), 409, 'Conflict', /the object has been modified/)
    },
  },
  {
    name: 'a dry apply finds conflicts and stores nothing',
    async run({ apply, get }) {
      const dry = { dryRun: 'All' }
      assert.equal((await apply(configMaps, configMap('c', { x: '1' }), 'one', dry)).status, 201)
      assert.equal((await get(configMaps, 'c')).status, 404)
      const made = await apply(configMaps, configMap('c', { x: '1' }), 'one')
      const would = await apply(configMaps, configMap('c', { x: '2' }), 'one', dry)
      assert.deepEqual(would.body['data'], { x: '2' })
      assertStatus(await apply(configMaps, configMap('c', { x: '2' }), 'two', dry), 409, 'Conflict')
      assert.deepEqual((await get(configMaps, 'c')).body, made.body)
    },
  },
  {
    name: 'an amount in another spelling is another value to a second manager',
    async run({ apply }) {
      const limited = (cpu: string): ReturnType<typeof deployment> =>
        deployment(idle, [container({ resources: { limits: { cpu } } })])
      await apply(deployments, limited('1000m'), 'one')
      const words = /conflict with "one": .spec.template.spec.containers\[name="a"\].resources.limits.cpu$/
      assertStatus(await apply(deployments, limited('1000m'), 'two'), 409, 'Conflict', words)
      assert.equal((await apply(deployments, limited('1'), 'two')).status, 200)
    },
  },
  {
    name: 'a custom kind says itself which lists have keys, which are sets, what is atomic',
    run: (probe) =>
      withCustomKind(probe, async (kind) => {
        const intent = (spec: object, meta: object = {}): Record<string, unknown> => ({
          apiVersion: `${kind.group}/${kind.version}`,
          kind: kind.kind,
          metadata: { name: 't', ...meta },
          spec,
        })
        const finalizers = ['conformance.towline.dev/x']
        const first = { items: [{ name: 'a', value: '1' }], tags: ['x'], whole: { a: '1', b: '1' } }
        await probe.apply(kind, intent(first, { finalizers }), 'one')
        const both = await probe.apply(kind, intent({ items: [{ name: 'b', value: '1' }], tags: ['y'] }), 'two')
        assert.deepEqual(both.body['spec'], {
          items: [
            { name: 'a', value: '1' },
            { name: 'b', value: '1' },
          ],
          tags: ['x', 'y'],
          whole: { a: '1', b: '1' },
        })
        assert.deepEqual(ownersOf(both.body), {
          '.metadata.finalizers[="conformance.towline.dev/x"]': ['one'],
          '.spec.items[name="a"]': ['one'],
          '.spec.items[name="a"].name': ['one'],
          '.spec.items[name="a"].value': ['one'],
          '.spec.items[name="b"]': ['two'],
          '.spec.items[name="b"].name': ['two'],
          '.spec.items[name="b"].value': ['two'],
          '.spec.tags[="x"]': ['one'],
          '.spec.tags[="y"]': ['two'],
          '.spec.whole': ['one'],
        })
        const less = await probe.apply(kind, intent({ items: [{ name: 'c', value: '1' }] }), 'one')
        assert.deepEqual(less.body['spec'], {
          items: [
            { name: 'b', value: '1' },
            { name: 'c', value: '1' },
          ],
          tags: ['y'],
        })
      }),
  },
]
