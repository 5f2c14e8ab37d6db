import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFakeApiServer } from '../../../test/kit/fake-api-server/fake-api-server.ts'
import { systemClock } from '../../base/clock.ts'
import type { KubeObject } from '../object.ts'
import { openKubeClient } from '../open-kube-client.ts'
import { resources } from '../resources.ts'
import { openInformer } from './open-informer.ts'

const settings = (name: string, value = '1') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { value },
})

async function openPair(t: TestContext, idleMs = 60_000) {
  const server = await openFakeApiServer(t)
  const client = await openKubeClient({ kubeconfig: server.kubeconfig, env: {} })
  const ending = new AbortController()
  const seen: string[] = []
  // Retries at once: what is tested is what they come to.
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms === idleMs ? ms : Math.min(ms, 5), signal),
  }
  const open = () =>
    openInformer<KubeObject>({
      client,
      resource: resources.configMaps,
      clock,
      signal: ending.signal,
      random: () => 0,
      idleMs,
      onChange: ({ kind, object }) => void seen.push(`${kind} ${object.metadata?.name}`),
      onTrouble: (outcome, error, afterMs) => {
        if (afterMs === null) seen.push(`${outcome.kind}: ${(error as { code?: string }).code}`)
      },
    })
  t.after(async () => {
    ending.abort()
    await client.close()
  })
  return { server, open, seen }
}

async function until(what: string, look: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (look()) return
    await sleep(5)
  }
  assert.fail(`${what} did not happen`)
}

test('what was there is told before it is synced, what happens later in its order', async (t) => {
  const { server, open, seen } = await openPair(t)
  server.objects.put(resources.configMaps, settings('a'))
  const informer = open()
  await informer.synced
  assert.deepEqual(seen, ['Added a'])
  await until('a watch', () => server.watches.count('configmaps') === 1)
  server.objects.put(resources.configMaps, settings('a', '2'))
  server.objects.put(resources.configMaps, settings('b'))
  server.objects.remove(resources.configMaps, 'a')
  await until('three changes', () => seen.length === 4)
  assert.deepEqual(seen.slice(1), ['Changed a', 'Added b', 'Removed a'])
  assert.deepEqual(informer.store.get('b', 'default')?.metadata?.name, 'b')
  assert.equal('managedFields' in (informer.store.get('b', 'default')?.metadata ?? {}), false)
  await informer.close()
  await until('the end of the watch', () => server.watches.count() === 0)
})

test('a watch that is cut, ended, failed or garbled misses nothing and tells nothing twice', async (t) => {
  const { server, open, seen } = await openPair(t)
  const informer = open()
  await informer.synced
  const faults = [
    () => server.watches.cut(),
    () => server.watches.end(),
    () => server.watches.fail(),
    () => server.watches.write('{"type":'),
    () => server.watches.write('no json\n'),
  ]
  for (const [index, fault] of faults.entries()) {
    await until('a watch', () => server.watches.count('configmaps') === 1)
    fault()
    server.objects.put(resources.configMaps, settings(`c${index}`))
    if (index === 3) server.watches.cut()
    await until(`c${index}`, () => seen.includes(`Added c${index}`))
  }
  assert.deepEqual(
    seen.toSorted(),
    faults.map((_, index) => `Added c${index}`),
  )
  assert.equal(informer.stats.lists, 1)
  await informer.close()
})

test('a version that is forgotten is listed anew, and what went meanwhile is told', async (t) => {
  const { server, open, seen } = await openPair(t)
  server.objects.put(resources.configMaps, settings('a'))
  const informer = open()
  await informer.synced
  await until('a watch', () => server.watches.count('configmaps') === 1)
  server.faults.add({ when: { verb: 'watch' }, does: { kind: 'Refuse', status: 410 } })
  server.watches.cut()
  server.objects.remove(resources.configMaps, 'a')
  server.objects.put(resources.configMaps, settings('b'))
  await until('both changes', () => seen.length === 3)
  assert.deepEqual(seen.toSorted(), ['Added a', 'Added b', 'Removed a'])
  assert.equal(informer.stats.missedRemovals, 1)
  await informer.close()
})

test('a watch that is open and says nothing is given up', async (t) => {
  const { server, open, seen } = await openPair(t, 150)
  const informer = open()
  await informer.synced
  await until('a watch', () => server.watches.count('configmaps') === 1)
  server.watches.silence()
  server.objects.put(resources.configMaps, settings('a'))
  await until('the change', () => seen.includes('Added a'))
  assert.ok(informer.stats.troubles >= 1)
  await informer.close()
})

test('who may not list hears it, also without waiting for it', async (t) => {
  const { server, open, seen } = await openPair(t)
  server.forbid(({ verb }) => verb === 'list')
  const informer = open()
  await until('an end', () => seen.length > 0)
  assert.match(String(seen), /^\w+: TL_CLUSTER_FORBIDDEN$/)
  await assert.rejects(informer.synced, { code: 'TL_CLUSTER_FORBIDDEN' })
})
