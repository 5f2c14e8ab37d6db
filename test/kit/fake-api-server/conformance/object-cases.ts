import assert from 'node:assert/strict'
import { resources } from '../../../../src/kube/resources.ts'
import { type ConformanceCase, assertStatus, causesOf } from './case.ts'
import { valueAt, versionOf } from './probe.ts'
import { configMap, deployment, withCustomKind } from './samples.ts'

const { configMaps, deployments, podDisruptionBudgets } = resources
const changed = 'the object has been modified; please apply your changes to the latest version and try again'

/** Create, read, replace, patch, delete. */
export const objectCases: readonly ConformanceCase[] = [
  {
    name: 'a new object gets a uid, a version and a time, and its name is taken',
    async run({ create, get, namespace }) {
      const made = await create(configMaps, configMap('a', { x: '1' }))
      assert.equal(made.status, 201)
      assert.match(String(valueAt(made.body, 'metadata.uid')), /^[0-9a-f-]{36}$/)
      assert.match(String(valueAt(made.body, 'metadata.creationTimestamp')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.equal(valueAt(made.body, 'metadata.namespace'), namespace)
      assert.equal(valueAt(made.body, 'metadata.generation'), undefined)
      assert.deepEqual((await get(configMaps, 'a')).body, made.body)
      const again = await create(configMaps, configMap('a', {}))
      assertStatus(again, 409, 'AlreadyExists', 'configmaps "a" already exists')
      assert.deepEqual(again.body['details'], { name: 'a', kind: 'configmaps' })
    },
  },
  {
    name: 'what is not there is 404, named with its group',
    async run({ get, remove, merge, call, path, api }) {
      assertStatus(await get(configMaps, 'zz'), 404, 'NotFound', 'configmaps "zz" not found')
      const missing = await get(deployments, 'zz')
      assertStatus(missing, 404, 'NotFound', 'deployments.apps "zz" not found')
      assert.deepEqual(missing.body['details'], { name: 'zz', group: 'apps', kind: 'deployments' })
      assertStatus(await remove(configMaps, 'zz'), 404, 'NotFound')
      assertStatus(await merge(configMaps, 'zz', { data: {} }), 404, 'NotFound')
      assertStatus(await call('PUT', path(configMaps, 'zz'), { body: configMap('zz', {}) }), 404, 'NotFound')
      assertStatus(
        await call('GET', '/apis/apps/v1/nothings'),
        404,
        'NotFound',
        /could not find the requested resource/,
      )
      const unknown = await call('GET', '/apis/nothing.example/v1/things')
      assert.deepEqual([unknown.status, unknown.body['text']], [404, '404 page not found\n'], api.url)
    },
  },
  {
    name: 'a name must be there and be one',
    async run({ create }) {
      const nameless = await create(configMaps, { metadata: {} })
      assertStatus(nameless, 422, 'Invalid', /^ConfigMap "" is invalid: metadata.name: Required value/)
      assert.deepEqual(causesOf(nameless), ['FieldValueRequired metadata.name'])
      const ugly = await create(configMaps, configMap('A_b', {}))
      assertStatus(ugly, 422, 'Invalid', /metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain/)
      assert.deepEqual(causesOf(ugly), ['FieldValueInvalid metadata.name'])
      const generated = await create(configMaps, { metadata: { generateName: 'g-' } })
      assert.match(String(valueAt(generated.body, 'metadata.name')), /^g-.{5}$/)
    },
  },
  {
    name: 'an object goes where its address says, or nowhere',
    async run({ create, call, path }) {
      const lost = await call('POST', '/api/v1/namespaces/nowhere/configmaps', { body: configMap('a', {}) })
      assertStatus(lost, 404, 'NotFound', 'namespaces "nowhere" not found')
      const elsewhere = await create(configMaps, { metadata: { name: 'a', namespace: 'default' } })
      assertStatus(elsewhere, 400, 'BadRequest', /namespace of the provided object does not match/)
      assertStatus(
        await create(configMaps, { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'a' } }),
        400,
        'BadRequest',
      )
      assertStatus(await call('POST', path(configMaps), { body: '{"metadata":' }), 400, 'BadRequest')
      await create(configMaps, configMap('a', {}))
      const renamed = await call('PUT', path(configMaps, 'a'), { body: configMap('b', {}) })
      assertStatus(renamed, 400, 'BadRequest', 'the name of the object (b) does not match the name on the URL (a)')
      assertStatus(await call('PUT', path(configMaps), { body: configMap('b', {}) }), 405, 'MethodNotAllowed')
    },
  },
  {
    name: 'PUT replaces, refuses an old version or another uid, and changes nothing where nothing changes',
    async run({ create, call, path }) {
      const made = await create(configMaps, configMap('a', { x: '1' }))
      const put = (metadata: object, data: object): ReturnType<typeof call> =>
        call('PUT', path(configMaps, 'a'), { body: { metadata: { name: 'a', ...metadata }, data } })
      const replaced = await put({ resourceVersion: versionOf(made) }, { y: '2' })
      assert.deepEqual([replaced.status, replaced.body['data']], [200, { y: '2' }])
      assert.notEqual(versionOf(replaced), versionOf(made))
      const late = await put({ resourceVersion: versionOf(made) }, { z: '3' })
      assertStatus(late, 409, 'Conflict', `Operation cannot be fulfilled on configmaps "a": ${changed}`)
      assertStatus(
        await put({ uid: 'other' }, { z: '3' }),
        409,
        'Conflict',
        /Precondition failed: UID in precondition: other/,
      )
      assert.equal(versionOf(await put({}, { y: '2' })), versionOf(replaced))
    },
  },
  {
    name: 'a merge patch sets, drops and leaves alone',
    async run({ create, merge, call, path }) {
      const made = await create(configMaps, configMap('a', { x: '1', y: '2' }))
      const patched = await merge(configMaps, 'a', { data: { x: null, z: '3' } })
      assert.deepEqual([patched.status, patched.body['data']], [200, { y: '2', z: '3' }])
      assert.equal(versionOf(await merge(configMaps, 'a', { data: { z: '3' } })), versionOf(patched))
      const old = { metadata: { resourceVersion: versionOf(made) }, data: { z: '4' } }
      assertStatus(await merge(configMaps, 'a', old), 409, 'Conflict', /the object has been modified/)
      const plain = await call('PATCH', path(configMaps, 'a'), { body: {} })
      assertStatus(plain, 415, 'UnsupportedMediaType')
    },
  },
  {
    name: 'DELETE answers a Status, and only for the object that is meant',
    async run({ create, remove, get }) {
      const made = await create(configMaps, configMap('a', {}))
      const uid = valueAt(made.body, 'metadata.uid')
      const wrong = await remove(configMaps, 'a', { body: { preconditions: { uid: 'other' } } })
      assertStatus(wrong, 409, 'Conflict', /the UID in the precondition \(other\) does not match the UID in record/)
      const dry = await remove(configMaps, 'a', { query: { dryRun: 'All' } })
      assert.equal(dry.status, 200)
      assert.equal((await get(configMaps, 'a')).status, 200)
      const gone = await remove(configMaps, 'a', { body: { preconditions: { uid } } })
      assert.equal(gone.status, 200)
      assert.deepEqual([gone.body['kind'], gone.body['status']], ['Status', 'Success'])
      assert.deepEqual(gone.body['details'], { name: 'a', kind: 'configmaps', uid })
      assert.equal((await get(configMaps, 'a')).status, 404)
    },
  },
  {
    name: 'a dry run answers as if, and stores nothing',
    async run({ create, get, merge }) {
      const dry = await create(configMaps, configMap('a', {}), { dryRun: 'All' })
      assert.deepEqual([dry.status, valueAt(dry.body, 'metadata.resourceVersion')], [201, undefined])
      assert.equal((await get(configMaps, 'a')).status, 404)
      const made = await create(configMaps, configMap('a', { x: '1' }))
      const patched = await merge(configMaps, 'a', { data: { x: '2' } }, { query: { dryRun: 'All' } })
      assert.deepEqual([patched.body['data'], versionOf(patched)], [{ x: '2' }, versionOf(made)])
      assert.deepEqual((await get(configMaps, 'a')).body, made.body)
    },
  },
  {
    name: 'the generation of a Deployment counts changes of spec and annotations alone',
    async run({ create, merge }) {
      const generation = async (patch: unknown, subresource?: string): Promise<unknown> => {
        const more = subresource === undefined ? {} : { subresource }
        return valueAt((await merge(deployments, 'd', patch, more)).body, 'metadata.generation')
      }
      const made = await create(deployments, deployment({ paused: true, replicas: 0 }))
      assert.equal(valueAt(made.body, 'metadata.generation'), 1)
      assert.equal(await generation({ metadata: { labels: { a: '1' } } }), 1)
      assert.equal(await generation({ spec: { revisionHistoryLimit: 3 } }), 2)
      assert.equal(await generation({ spec: { revisionHistoryLimit: 3 } }), 2)
      assert.equal(await generation({ metadata: { annotations: { a: '1' } } }), 3)
      assert.equal(await generation({ status: { observedGeneration: 1 } }, 'status'), 3)
    },
  },
  {
    name: 'spec and status have an address each',
    async run({ create, merge }) {
      await create(podDisruptionBudgets, {
        metadata: { name: 'b' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
      })
      const main = await merge(podDisruptionBudgets, 'b', { spec: { minAvailable: 2 }, status: { expectedPods: 7 } })
      assert.deepEqual([valueAt(main.body, 'spec.minAvailable'), valueAt(main.body, 'status.expectedPods')], [2, 0])
      const below = await merge(
        podDisruptionBudgets,
        'b',
        { spec: { minAvailable: 3 }, status: { expectedPods: 7 } },
        { subresource: 'status' },
      )
      assert.deepEqual([valueAt(below.body, 'spec.minAvailable'), valueAt(below.body, 'status.expectedPods')], [2, 7])
    },
  },
  {
    name: 'some fields never change',
    async run({ create, merge }) {
      await create(configMaps, configMap('a', { x: '1' }, { immutable: true }))
      const frozen = await merge(configMaps, 'a', { data: { x: '2' } })
      assertStatus(
        frozen,
        422,
        'Invalid',
        'ConfigMap "a" is invalid: data: Forbidden: field is immutable when `immutable` is set',
      )
      assert.deepEqual(causesOf(frozen), ['FieldValueForbidden data'])
      await create(deployments, deployment({ replicas: 0 }))
      const selector = { matchLabels: { app: 'd', more: '1' } }
      const moved = await merge(deployments, 'd', {
        spec: { selector, template: { metadata: { labels: { more: '1' } } } },
      })
      assertStatus(
        moved,
        422,
        'Invalid',
        /^Deployment.apps "d" is invalid: spec.selector: Invalid value: .*: field is immutable$/,
      )
      assert.deepEqual(causesOf(moved), ['FieldValueInvalid spec.selector'])
    },
  },
  {
    name: 'all mistakes of a Deployment are named at once',
    async run({ create }) {
      const bare = await create(deployments, deployment({ selector: undefined }))
      assertStatus(bare, 422, 'Invalid', /^Deployment.apps "d" is invalid: \[spec.selector: Required value, /)
      assert.deepEqual(causesOf(bare), [
        'FieldValueRequired spec.selector',
        'FieldValueInvalid spec.template.metadata.labels',
      ])
      const strange = await create(deployments, deployment({ selector: { matchLabels: { app: 'other' } } }))
      assert.deepEqual(causesOf(strange), ['FieldValueInvalid spec.template.metadata.labels'])
      const imageless = await create(deployments, deployment({}, [{ name: 'a' }]))
      assert.deepEqual(causesOf(imageless), ['FieldValueRequired spec.template.spec.containers[0].image'])
      const empty = await create(deployments, deployment({}, []))
      assert.deepEqual(causesOf(empty), ['FieldValueRequired spec.template.spec.containers'])
      const both = { minAvailable: 1, maxUnavailable: 1, selector: { matchLabels: { app: 'x' } } }
      const budget = await create(podDisruptionBudgets, { metadata: { name: 'b' }, spec: both })
      assertStatus(budget, 422, 'Invalid', /minAvailable and maxUnavailable cannot be both set$/)
    },
  },
  {
    name: 'objects of a custom kind name it, and say which version they change',
    run: (probe) =>
      withCustomKind(probe, async (kind) => {
        const { create, call, path, merge, list } = probe
        const identity = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind }
        const made = await create(kind, {
          ...identity,
          metadata: { name: 't' },
          spec: { size: 1 },
          status: { ready: true },
        })
        assert.deepEqual(
          [made.status, made.body['status'], valueAt(made.body, 'metadata.generation')],
          [201, undefined, 1],
        )
        assertStatus(await create(kind, { metadata: { name: 'u' } }), 400, 'BadRequest', /Object 'Kind' is missing/)
        const unversioned = await call('PUT', path(kind, 't'), { body: { ...identity, metadata: { name: 't' } } })
        assertStatus(
          unversioned,
          422,
          'Invalid',
          /metadata.resourceVersion: Invalid value: 0: must be specified for an update$/,
        )
        const sized = await merge(kind, 't', { spec: { size: 2 }, status: { ready: true } })
        assert.deepEqual([valueAt(sized.body, 'metadata.generation'), sized.body['status']], [2, undefined])
        const ready = await merge(kind, 't', { spec: { size: 3 }, status: { ready: true } }, { subresource: 'status' })
        assert.deepEqual(
          [valueAt(ready.body, 'metadata.generation'), ready.body['spec'], ready.body['status']],
          [2, { size: 2 }, { ready: true }],
        )
        const labelled = await merge(kind, 't', { metadata: { annotations: { a: 'b' } } })
        assert.equal(valueAt(labelled.body, 'metadata.generation'), 2)
        const { body } = await list(kind)
        assert.deepEqual([body['kind'], valueAt(body, 'items.0.kind')], [`${kind.kind}List`, kind.kind])
      }),
  },
]
