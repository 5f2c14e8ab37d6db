import assert from 'node:assert/strict'
import { resources } from '../../../../src/kube/resources.ts'
import { type ConformanceCase, assertStatus } from './case.ts'
import { type Probe, mergeType, namesOf, valueAt, versionOf } from './probe.ts'
import { pod } from './samples.ts'

const { pods, secrets } = resources

async function createSecrets({ create }: Probe, names: readonly string[]): Promise<void> {
  for (const name of names) await create(secrets, { metadata: { name, labels: { name } } })
}

function makeOld(token: unknown): string {
  const value = JSON.parse(Buffer.from(String(token), 'base64url').toString()) as object
  return Buffer.from(JSON.stringify({ ...value, rv: 1 })).toString('base64url')
}

/** Lists: pages, versions, selectors. */
export const listCases: readonly ConformanceCase[] = [
  {
    name: 'a list names its version, and its items no kind',
    async run(probe) {
      await createSecrets(probe, ['b', 'a'])
      const all = await probe.list(secrets)
      assert.deepEqual(namesOf(all), ['a', 'b'])
      assert.deepEqual([all.body['kind'], all.body['apiVersion']], ['SecretList', 'v1'])
      assert.deepEqual(
        [valueAt(all.body, 'items.0.kind'), valueAt(all.body, 'items.0.apiVersion')],
        [undefined, undefined],
      )
      assert.ok(Number(versionOf(all)) >= Number(valueAt(all.body, 'items.1.metadata.resourceVersion')))
      const everywhere = await probe.call('GET', '/api/v1/secrets')
      assert.ok(namesOf(everywhere).length >= 2)
    },
  },
  {
    name: 'the pages of a list are of one moment',
    async run(probe) {
      const { list, remove } = probe
      await createSecrets(probe, ['a', 'b', 'c', 'd', 'e'])
      const first = await list(secrets, { limit: '2' })
      assert.deepEqual([namesOf(first), valueAt(first.body, 'metadata.remainingItemCount')], [['a', 'b'], 3])
      await createSecrets(probe, ['bb'])
      await remove(secrets, 'c')
      const second = await list(secrets, { limit: '2', continue: String(valueAt(first.body, 'metadata.continue')) })
      assert.deepEqual([namesOf(second), versionOf(second)], [['c', 'd'], versionOf(first)])
      const last = await list(secrets, { limit: '2', continue: String(valueAt(second.body, 'metadata.continue')) })
      assert.deepEqual([namesOf(last), valueAt(last.body, 'metadata.continue')], [['e'], undefined])
      assertStatus(await list(secrets, { continue: 'abc' }), 400, 'BadRequest', /continue/)
    },
  },
  {
    name: 'a page of a forgotten moment is 410, with a way to go on all the same',
    needsCompaction: true,
    async run(probe) {
      const { list, api } = probe
      await createSecrets(probe, ['a', 'b', 'c'])
      const first = await list(secrets, { limit: '1' })
      await createSecrets(probe, ['bb'])
      await api.compact?.()
      // As if it had been asked for long ago: the real one keeps what is younger in its memory.
      const late = await list(secrets, { limit: '1', continue: makeOld(valueAt(first.body, 'metadata.continue')) })
      assertStatus(late, 410, 'Expired', /^The provided continue parameter is too old/)
      const next = await list(secrets, { continue: String(valueAt(late.body, 'metadata.continue')) })
      assert.deepEqual(namesOf(next), ['b', 'bb', 'c'])
    },
  },
  {
    name: 'label selectors choose by value, by set and by presence',
    async run({ create, list }) {
      const labels = { a: { app: 'x', tier: 'one' }, b: { app: 'y', tier: 'two' }, c: { app: 'x' }, d: undefined }
      for (const [name, own] of Object.entries(labels)) await create(secrets, { metadata: { name, labels: own } })
      const choose = async (labelSelector: string): Promise<readonly unknown[]> =>
        namesOf(await list(secrets, { labelSelector }))
      assert.deepEqual(await choose('app=x'), ['a', 'c'])
      assert.deepEqual(await choose('app==x,tier'), ['a'])
      assert.deepEqual(await choose('app!=x'), ['b', 'd'])
      assert.deepEqual(await choose('tier in (one, two),app'), ['a', 'b'])
      assert.deepEqual(await choose('tier notin (one)'), ['b', 'c', 'd'])
      assert.deepEqual(await choose('!app'), ['d'])
      assert.deepEqual(await choose('app='), [])
      assertStatus(await list(secrets, { labelSelector: 'a===b' }), 400, 'BadRequest', /^unable to parse requirement/)
    },
  },
  {
    name: 'field selectors choose by the fields that a kind has for it',
    async run({ create, list, merge }) {
      await create(pods, pod('a', { nodeName: 'nowhere' }))
      await create(pods, pod('b', { nodeName: 'nowhere' }))
      await create(pods, pod('c'))
      await merge(pods, 'a', { status: { phase: 'Running' } }, { subresource: 'status' })
      const choose = async (fieldSelector: string): Promise<readonly unknown[]> =>
        namesOf(await list(pods, { fieldSelector }))
      assert.deepEqual(await choose('metadata.name=c'), ['c'])
      assert.deepEqual(await choose('spec.nodeName=nowhere'), ['a', 'b'])
      assert.deepEqual(await choose('spec.nodeName=nowhere,status.phase!=Pending'), ['a'])
      assertStatus(
        await list(pods, { fieldSelector: 'spec.foo=x' }),
        400,
        'BadRequest',
        'field label not supported: spec.foo',
      )
      const unknown = '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"'
      assertStatus(await list(resources.configMaps, { fieldSelector: 'spec.foo=x' }), 400, 'BadRequest', unknown)
    },
  },
  {
    name: 'events are found by what they are about',
    async run({ create, list, namespace }) {
      const about = (name: string): object => ({
        metadata: { name: `${name}.1` },
        regarding: { kind: 'Pod', name, namespace },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reason: 'Tested',
        action: 'Test',
        type: 'Normal',
        note: 'said',
        reportingController: 'test',
        reportingInstance: 'test',
      })
      await create(resources.events, about('a'))
      await create(resources.events, about('b'))
      const fieldSelector = 'regarding.kind=Pod,regarding.name=a'
      assert.deepEqual(namesOf(await list(resources.events, { fieldSelector })), ['a.1'])
    },
  },
  {
    name: 'a list may ask for a version, old or at least, but for none to come',
    async run(probe) {
      const { list } = probe
      await createSecrets(probe, ['a'])
      const before = await list(secrets)
      await createSecrets(probe, ['b'])
      const exact = await list(secrets, { resourceVersion: versionOf(before), resourceVersionMatch: 'Exact' })
      assert.deepEqual([namesOf(exact), versionOf(exact)], [['a'], versionOf(before)])
      assert.deepEqual(namesOf(await list(secrets, { resourceVersion: versionOf(before) })), ['a', 'b'])
      assert.deepEqual(
        namesOf(
          await probe.until(
            () => list(secrets, { resourceVersion: '0' }),
            (reply) => namesOf(reply).length === 2,
          ),
        ),
        ['a', 'b'],
      )
      const future = await list(secrets, { resourceVersion: '999999999' })
      assertStatus(future, 504, 'Timeout', /^Timeout: Too large resource version: 999999999, current: /)
      assertStatus(await list(secrets, { resourceVersion: 'abc' }), 400, 'BadRequest', /^invalid resource version/)
      const unasked = await list(secrets, { resourceVersionMatch: 'Exact' })
      assertStatus(unasked, 422, 'Invalid', /resourceVersionMatch is forbidden unless resourceVersion is provided$/)
    },
  },
  {
    name: 'a collection is deleted by what matches',
    async run({ create, list, call, path }) {
      for (const name of ['a', 'b', 'c'])
        await create(secrets, { metadata: { name, labels: { go: String(name !== 'b') } } })
      const gone = await call('DELETE', path(secrets), { query: { labelSelector: 'go=true' } })
      assert.equal(gone.status, 200)
      assert.deepEqual(namesOf(await list(secrets)), ['b'])
    },
  },
  {
    name: 'the version and the kinds of the server can be asked for',
    async run({ call }) {
      const { body } = await call('GET', '/version')
      assert.deepEqual([body['major'], body['minor'], body['gitVersion']], ['1', '35', 'v1.35.4'])
      const apps = await call('GET', '/apis/apps/v1')
      const named = (apps.body['resources'] as readonly { name: string; kind: string }[]).map(
        ({ name, kind }) => `${name} ${kind}`,
      )
      for (const wanted of ['deployments Deployment', 'deployments/scale Scale', 'deployments/status Deployment']) {
        assert.ok(named.includes(wanted), wanted)
      }
      const core = await call('GET', '/api/v1')
      const found = (core.body['resources'] as readonly { name: string; namespaced: boolean }[]).find(
        ({ name }) => name === 'nodes',
      )
      assert.equal(found?.namespaced, false)
      assert.equal((await call('GET', '/readyz')).body['text'], 'ok')
    },
  },
  {
    name: 'whoever may not is told what, and can ask before',
    async run({ api, call, path, apply, namespace }) {
      const attributes = { verb: 'list', resource: 'secrets', namespace }
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: attributes },
      }
      const ask = async (headers: Record<string, string>): Promise<unknown> => {
        const reply = await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
          body: review,
          headers,
        })
        return [reply.status, valueAt(reply.body, 'status.allowed')]
      }
      assert.deepEqual(await ask({}), [201, true])
      await api.asStranger(async (headers) => {
        assert.deepEqual(await ask(headers), [201, false])
        const where = `in the namespace "${namespace}"`
        const listing = await call('GET', path(secrets), { headers })
        assertStatus(
          listing,
          403,
          'Forbidden',
          `secrets is forbidden: User "stranger" cannot list resource "secrets" in API group "" ${where}`,
        )
        const scaling = await call('PATCH', path(resources.deployments, 'd', 'scale'), {
          headers,
          body: {},
          type: mergeType,
        })
        const words = `deployments.apps "d" is forbidden: User "stranger" cannot patch resource "deployments/scale" in API group "apps" ${where}`
        assertStatus(scaling, 403, 'Forbidden', words)
        assert.deepEqual(scaling.body['details'], { name: 'd', group: 'apps', kind: 'deployments' })
        const nodes = await call('GET', '/api/v1/nodes', { headers })
        assertStatus(nodes, 403, 'Forbidden', /cannot list resource "nodes" in API group "" at the cluster scope$/)
      })
      assert.equal(
        (await apply(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }, 'm')).status,
        201,
      )
    },
  },
]
