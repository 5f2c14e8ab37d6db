import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startEngine } from '../../src/control/client.ts'
import { projectPaths } from '../../src/engine/paths.ts'
import { isReady, kill, openProject, requestBody, serviceName, startLoad, waitFor, waitUntil } from './project.ts'

/** A file system of a few megabytes, or undefined where this user may not mount one. */
function mountSmall(t: TestContext, sizeKb: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'towline-small-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKb}k`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  t.after(() => {
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}

/** All the space that is left. */
function fill(file: string): void {
  const piece = Buffer.alloc(4096)
  for (;;) {
    try {
      writeFileSync(file, piece, { flag: 'a' })
    } catch {
      return
    }
  }
}

test('a full disk costs no request, a change is refused as a whole, and with space everything goes on', async (t) => {
  const folder = mountSmall(t, 2000)
  if (folder === undefined) return t.skip('this user may not mount a file system to fill')
  const project = openProject(t, folder)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document({ replicas: 2 }))
  const before = await waitFor(client, isReady)
  const load = startLoad(t, url, requestBody)
  const filler = join(folder, 'filler')
  fill(filler)

  await assert.rejects(client.scale(serviceName, 3), { code: 'TL_DISK_FULL' })
  assert.equal((await client.status()).services[0]?.replicas.desired, 2)
  const answered = load.answered
  await waitUntil('answers on a full disk', () => load.answered > answered + 50)
  kill(before.instances[0]?.pid)
  const waiting = await waitFor(client, ({ replicas, lastFailure }) => {
    return replicas.ready === 1 && lastFailure?.message.startsWith('The disk is full') === true
  })
  assert.equal(waiting.phase, 'Degraded')
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])

  rmSync(filler)
  await waitFor(client, isReady)
  assert.equal((await client.scale(serviceName, 3)).replicas.desired, 3)
  // What failed before is over: the service grows, it is not degraded.
  const grown = await waitFor(client, (service) => isReady(service) || service.phase === 'Degraded')
  assert.deepEqual([grown.phase, grown.replicas.ready], ['Ready', 3])
})

test('a state that is no database is refused with its name, and nothing in the folder is touched', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  const { pid } = await client.status()
  project.engines.add(pid)
  kill(pid)
  await waitUntil(
    'the engine is gone',
    async () =>
      await client.status().then(
        () => false,
        () => true,
      ),
  )
  const { root } = projectPaths(project.dir)
  const database = readdirSync(root).find((name) => name.endsWith('.sqlite')) ?? assert.fail('there is no database')
  // SQLite would restore it from its journal.
  for (const journal of ['-wal', '-shm']) rmSync(join(root, `${database}${journal}`), { force: true })
  writeFileSync(join(root, database), 'this is no database, but somebody may still want it')
  await assert.rejects(startEngine(project.dir), ({ code, message }: Error & { code: string }) => {
    assert.equal(code, 'TL_STATE_UNUSABLE')
    assert.match(message, new RegExp(database.replace('.', '\\.')))
    return true
  })
  assert.match(readFileSync(join(root, database), 'utf8'), /somebody may still want it$/)
})

test('a folder that cannot be written is said at once', async (t) => {
  const folder = mountSmall(t, 1000)
  const project = openProject(t, folder)
  if (folder !== undefined) execFileSync('mount', ['-o', 'remount,ro', folder])
  else if (process.getuid?.() !== 0) chmodSync(project.dir, 0o500)
  else return t.skip('root may write everywhere here, and may mount nothing')
  await assert.rejects(startEngine(project.dir), ({ code, message }: Error & { code: string }) => {
    assert.equal(code, 'TL_FILE_UNWRITABLE')
    assert.ok(message.includes(project.dir), message)
    return true
  })
  if (folder !== undefined) execFileSync('mount', ['-o', 'remount,rw', folder])
})
