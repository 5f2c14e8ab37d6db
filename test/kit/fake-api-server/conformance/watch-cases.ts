import assert from 'node:assert/strict'
import { resources } from '../../../../src/kube/resources.ts'
import type { ConformanceCase } from './case.ts'
import { valueAt, versionOf } from './probe.ts'
import { withCustomKind } from './samples.ts'
import type { WatchEvent } from './watch-probe.ts'

const { secrets } = resources

const show = (event: WatchEvent | undefined): string =>
  `${event?.type} ${String(valueAt(event?.object, 'metadata.name'))}`
const secret = (name: string, labels: object = {}): object => ({ metadata: { name, labels } })

/** Watches. */
export const watchCases: readonly ConformanceCase[] = [
  {
    name: 'a watch tells all that happened since its version, in order, with kinds',
    async run({ create, merge, remove, list, watch }) {
      await create(secrets, secret('old'))
      const resourceVersion = versionOf(await list(secrets))
      const made = await create(secrets, secret('a'))
      const watched = await watch(secrets, { resourceVersion })
      const first = await watched.next()
      assert.equal(show(first), 'ADDED a')
      assert.deepEqual(first?.object, made.body)
      await merge(secrets, 'a', { metadata: { labels: { x: '1' } } })
      await remove(secrets, 'a')
      assert.equal(show(await watched.next()), 'MODIFIED a')
      const gone = await watched.next()
      assert.equal(show(gone), 'DELETED a')
      const version = Number(valueAt(gone?.object, 'metadata.resourceVersion'))
      assert.ok(version > Number(versionOf(made)) + 1, `a deletion has a version of its own: ${version}`)
      watched.close()
    },
  },
  {
    name: 'a write that changes nothing is no event',
    async run({ create, merge, watch, list }) {
      await create(secrets, secret('a', { x: '1' }))
      const watched = await watch(secrets, { resourceVersion: versionOf(await list(secrets)) })
      await merge(secrets, 'a', { metadata: { labels: { x: '1' } } })
      await create(secrets, secret('b'))
      assert.equal(show(await watched.next()), 'ADDED b')
      watched.close()
    },
  },
  {
    name: 'a watch without a version begins with what is there',
    async run({ create, watch }) {
      await create(secrets, secret('b'))
      await create(secrets, secret('a'))
      for (const query of [{}, { resourceVersion: '0' }]) {
        const watched = await watch(secrets, query)
        const both = [show(await watched.next()), show(await watched.next())]
        assert.deepEqual(both.toSorted(), ['ADDED a', 'ADDED b'])
        watched.close()
      }
    },
  },
  {
    name: 'whoever wants the state first is told where it ends',
    async run({ create, watch }) {
      const made = await create(secrets, secret('a'))
      const query = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' }
      const watched = await watch(secrets, query)
      assert.equal(show(await watched.next()), 'ADDED a')
      const mark = await watched.next()
      assert.equal(mark?.type, 'BOOKMARK')
      assert.equal(mark.object['kind'], 'Secret')
      assert.deepEqual(valueAt(mark.object, 'metadata.annotations'), { 'k8s.io/initial-events-end': 'true' })
      assert.ok(Number(valueAt(mark.object, 'metadata.resourceVersion')) >= Number(versionOf(made)))
      await create(secrets, secret('b'))
      assert.equal(show(await watched.next()), 'ADDED b')
      watched.close()
    },
  },
  {
    name: 'seen through a selector, objects come and go as they match',
    async run({ create, merge, remove, watch, list }) {
      await create(secrets, secret('a', { app: 'x' }))
      const resourceVersion = versionOf(await list(secrets))
      const watched = await watch(secrets, { resourceVersion, labelSelector: 'app=x' })
      await create(secrets, secret('b', { app: 'y' }))
      const left = await merge(secrets, 'a', { metadata: { labels: { app: 'y' } } })
      const gone = await watched.next()
      assert.equal(show(gone), 'DELETED a')
      // As it was when it still matched, with the version of the change.
      assert.deepEqual(valueAt(gone?.object, 'metadata.labels'), { app: 'x' })
      assert.equal(valueAt(gone?.object, 'metadata.resourceVersion'), versionOf(left))
      await merge(secrets, 'b', { metadata: { labels: { app: 'x' } } })
      assert.equal(show(await watched.next()), 'ADDED b')
      await remove(secrets, 'a')
      await remove(secrets, 'b')
      assert.equal(show(await watched.next()), 'DELETED b')
      watched.close()
    },
  },
  {
    name: 'a watch of one object sees that one alone',
    async run({ create, watch, list }) {
      const resourceVersion = versionOf(await list(secrets))
      const watched = await watch(secrets, { resourceVersion, fieldSelector: 'metadata.name=b', timeoutSeconds: '1' })
      await create(secrets, secret('a'))
      await create(secrets, secret('b'))
      assert.deepEqual((await watched.rest()).map(show), ['ADDED b'])
    },
  },
  {
    name: 'a watch from a version that is forgotten says 410 and ends',
    run: (probe) =>
      withCustomKind(probe, async (kind) => {
        const watched = await probe.watch(kind, { resourceVersion: '1' })
        const [event, ...more] = await watched.rest()
        assert.equal(event?.type, 'ERROR')
        assert.deepEqual(
          [event.object['kind'], event.object['code'], event.object['reason']],
          ['Status', 410, 'Expired'],
        )
        assert.match(String(event.object['message']), /^too old resource version: 1 \(\d+\)$/)
        assert.deepEqual(more, [])
      }),
  },
]
