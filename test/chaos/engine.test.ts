import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectEngine, startEngine } from '../../src/control/client.ts'
import { TowlineError } from '../../src/base/errors.ts'
import { findProcesses } from '../../src/engine/adoption.ts'
import { projectPaths } from '../../src/engine/paths.ts'
import { openSocketPath } from '../../src/net/socket-path.ts'
import { isReady, kill, openProject, requestBody, serviceName, startLoad, waitFor, waitUntil } from './project.ts'

test('a killed engine: requests go on, and the next engine adopts the same processes', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  const engine = await client.status()
  project.engines.add(engine.pid)
  const { url } = await client.apply(serviceName, project.document())
  const before = await waitFor(client, isReady)
  const gatewayPid = (await client.status()).gateway.pid
  const load = startLoad(t, url, requestBody)

  kill(engine.pid)
  await waitUntil('the engine is gone', async () => {
    try {
      await connectEngine(project.dir)
      return false
    } catch (error) {
      return error instanceof TowlineError && error.code === 'TL_ENGINE_MISSING'
    }
  })
  const answered = load.answered
  await waitUntil('answers without an engine', () => load.answered > answered + 50)

  await startEngine(project.dir)
  const adopted = await client.status()
  project.engines.add(adopted.pid)
  assert.notEqual(adopted.pid, engine.pid)
  const after = await waitFor(client, isReady)
  // The same file again is no change: no port conflict, no new process.
  await client.apply(serviceName, project.document())
  const again = await waitFor(client, isReady)
  const pids = (service: typeof before) => service.instances.map(({ name, pid }) => `${name} ${pid}`).toSorted()
  assert.deepEqual(pids(after), pids(before))
  assert.deepEqual(pids(again), pids(before))
  assert.equal((await client.status()).gateway.pid, gatewayPid)
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])

  // How an adopted process ended is not known, and the status does not pretend it was.
  const [victim] = after.instances
  kill(victim?.pid)
  const replaced = await waitFor(client, (service) => isReady(service) && service.lastFailure !== null)
  assert.match(replaced.lastFailure?.message ?? '', /its exit code is unknown/)
})

test('a killed engine that does not come back: everything drains and is gone after the lease', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir, { leaseMs: 3000 })
  const engine = await client.status()
  project.engines.add(engine.pid)
  const { url } = await client.apply(serviceName, project.document())
  await waitFor(client, isReady)
  kill(engine.pid)
  await waitUntil('all processes are gone', () => findProcesses(projectPaths(project.dir)).length === 0, 30_000)
  await assert.rejects(fetch(url), 'the port is free')

  // What the state still wants is there again with the next engine, on the same port.
  await startEngine(project.dir, { leaseMs: 3000 })
  project.engines.add((await client.status()).pid)
  assert.equal((await waitFor(client, isReady)).url, url)
  await client.remove(serviceName)
  await waitUntil('all processes are gone', () => findProcesses(projectPaths(project.dir)).length === 0)
})

test('a killed gateway is back on the same port with its routes', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  const { gateway, pid } = await client.status()
  project.engines.add(pid)
  const { url } = await client.apply(serviceName, project.document())
  await waitFor(client, isReady)
  kill(gateway.pid ?? (await client.status()).gateway.pid)
  await waitFor(client, (_, engine) => engine.gateway.restarts === 1 && engine.gateway.phase === 'Ready')
  const response = await fetch(`${url}/v2/models/${serviceName}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(requestBody),
  })
  assert.equal(response.status, 200, await response.text())
})

test('two terminals that start an engine at once get the same one', async (t) => {
  const project = openProject(t)
  const script = `
    const { startEngine } = await import(${JSON.stringify(new URL('../../src/control/client.ts', import.meta.url).href)})
    const client = await startEngine(${JSON.stringify(project.dir)})
    console.log((await client.status()).pid)`
  const start = async (): Promise<number> => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return Number((await child.stdout.toArray()).join(''))
  }
  const pids = await Promise.all([start(), start(), start()])
  for (const pid of pids) project.engines.add(pid)
  assert.ok(pids[0] !== undefined && pids[0] > 0)
  assert.deepEqual(new Set(pids).size, 1)
})

test('a terminal that is killed takes the service it was attached to with it, and then the engine ends', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const request = JSON.stringify(project.document())
  const script = `
    const { createClient } = await import(${JSON.stringify(new URL('../../src/control/client.ts', import.meta.url).href)})
    const client = createClient(${JSON.stringify(project.dir)})
    for await (const status of client.attach('${serviceName}', ${request})) if (status.phase === 'Ready') console.log()`
  const terminal = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const _ of terminal.stdout) terminal.kill('SIGKILL')
  await waitUntil('all processes are gone', () => findProcesses(projectPaths(project.dir)).length === 0)
  await waitUntil('the engine ends too', async () => {
    try {
      await client.status()
      return false
    } catch {
      return true
    }
  })
})

test('a terminal that is killed while its service is being applied leaves nothing running', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const { socket, logs } = projectPaths(project.dir)
  const body = JSON.stringify(project.document())
  const terminal = connect(openSocketPath(socket).path)
  const head = `POST /v1/services/${serviceName}/attach HTTP/1.1\r\nhost: a\r\ncontent-length: ${Buffer.byteLength(body)}`
  terminal.end(`${head}\r\n\r\n${body}`, () => setImmediate(() => terminal.destroy()))
  await waitUntil('its service is taken down', () =>
    /its terminal is gone/.test(readFileSync(join(logs, 'engine.log'), 'utf8')),
  )
  await waitUntil('all processes are gone', () => findProcesses(projectPaths(project.dir)).length === 0)
})

test('a lease other than that of the running engine is refused, not passed over', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir, { leaseMs: 5000 })
  project.engines.add((await client.status()).pid)
  await startEngine(project.dir)
  await startEngine(project.dir, { leaseMs: 5000 })
  await assert.rejects(startEngine(project.dir, { leaseMs: 60_000 }), {
    code: 'TL_USAGE',
    detail: 'a lease of 1m, and the engine runs with 5s',
  })
})

test('a taken port is an error that names it, and nothing else changes', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const { port } = await client.apply(serviceName, project.document({ replicas: 1 }))
  const other = openProject(t)
  const otherClient = await startEngine(other.dir)
  other.engines.add((await otherClient.status()).pid)
  await assert.rejects(
    otherClient.apply(serviceName, { ...other.document(), port }),
    (error) => error instanceof TowlineError && error.code === 'TL_PORT_TAKEN' && error.message.includes(String(port)),
  )
  assert.deepEqual((await otherClient.status()).services, [])
})

test('a removed .towline ends the engine and what it ran', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  const { pid } = await client.status()
  project.engines.add(pid)
  await client.apply(serviceName, project.document({ replicas: 1 }))
  await waitFor(client, isReady)
  rmSync(projectPaths(project.dir).root, { recursive: true })
  await waitUntil('all processes are gone', () => findProcesses(projectPaths(project.dir)).length === 0)
})
