import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { answerWith, openBackend } from '../../../test/kit/gateway-rig.ts'
import { beside } from '../../base/process/beside.ts'
import { renewLease } from '../../base/process/lease.ts'
import { type ProcessIdentity, isRunning } from '../../base/process/process-identity.ts'
import { type HttpAnswer, requestJson } from '../../net/http-client.ts'
import type { GatewayConfig, GatewayEndpoint, GatewayRoute, GatewayRouteStatus } from './gateway-config.ts'
import { openGateway } from './gateway.ts'
import { readRoutes } from './routes-file.ts'

const silent = pino({ level: 'silent' })

function createConfig(t: TestContext, config: Partial<GatewayConfig> = {}): GatewayConfig {
  const root = mkdtempSync(join(tmpdir(), 'towline-gateway-'))
  t.after(() => rmSync(root, { recursive: true }))
  // A project may lie deep: the socket's path is longer than the kernel takes.
  const folder = join(root, 'a-deep-folder'.repeat(9))
  mkdirSync(folder)
  const file = (name: string): string => join(folder, name)
  renewLease(file('lease'), 1)
  return {
    controlSocket: file('gateway.sock'),
    logFile: file('gateway.log'),
    announceFile: file('gateway.json'),
    routesFile: file('routes.json'),
    lease: { file: file('lease'), leaseMs: 60_000 },
    drainTimeoutMs: 5000,
    ...config,
  }
}

function routeTo(endpoints: readonly GatewayEndpoint[], route: Partial<GatewayRoute> = {}): GatewayRoute {
  const limits = { timeoutMs: 5000, maxBodyBytes: 1000, waitMs: 2000, slowMs: 1000 }
  return { service: 'demo', host: '127.0.0.1', port: 0, ...limits, endpoints, ...route }
}

const weigh = (...weights: readonly (readonly [revision: number, percent: number])[]): GatewayRoute =>
  routeTo([], { weights: weights.map(([revision, percent]) => ({ revision, percent })) })

async function control(config: GatewayConfig, method: string, path: string, body?: unknown): Promise<HttpAnswer> {
  return await requestJson({ socketPath: config.controlSocket, method, path, body, timeoutMs: 5000 })
}

async function put(config: GatewayConfig, route: GatewayRoute): Promise<GatewayRouteStatus> {
  const { status, body } = await control(config, 'PUT', `/routes/${route.service}`, route)
  assert.equal(status, 200, JSON.stringify(body))
  return body as GatewayRouteStatus
}

async function get(port: number): Promise<HttpAnswer> {
  return await requestJson({ url: `http://127.0.0.1:${port}`, method: 'GET', path: '/', timeoutMs: 5000 })
}

const codeOf = ({ body }: HttpAnswer): string => (body as { error: { code: string } }).error.code

test('routes are set, listed and removed over the control socket', async (t) => {
  const config = createConfig(t)
  const gateway = await openGateway(config, silent)
  t.after(async () => await gateway.close())
  const backend = await openBackend(t, 'a', answerWith('hello'))
  assert.equal((await control(config, 'GET', '/healthz')).status, 200)
  assert.deepEqual((await control(config, 'GET', '/routes')).body, [])

  const opened = await put(config, routeTo([backend.endpoint]))
  assert.equal((await get(opened.port)).body, 'hello')
  const again = await put(config, routeTo([backend.endpoint], { port: opened.port }))
  assert.deepEqual([again.port, again.requests], [opened.port, 1])
  const [listed] = (await control(config, 'GET', '/routes')).body as GatewayRouteStatus[]
  const endpoint = { id: 'a', port: backend.endpoint.port, state: 'Active', inFlight: 0, requests: 1, failures: 0 }
  assert.deepEqual(listed?.endpoints, [endpoint])

  assert.deepEqual(await control(config, 'DELETE', '/routes/demo'), { status: 200, body: {} })
  await assert.rejects(get(opened.port), /ECONNREFUSED/)
  assert.deepEqual(readRoutes(config.routesFile), [])
  assert.equal(codeOf(await control(config, 'DELETE', '/routes/demo')), 'TL_SERVICE_UNKNOWN')
})

test('a call that cannot be followed changes nothing and says why', async (t) => {
  const config = createConfig(t)
  const gateway = await openGateway(config, silent)
  t.after(async () => await gateway.close())
  const backend = await openBackend(t, 'a', answerWith('hello'))
  const taken = await control(config, 'PUT', '/routes/demo', routeTo([], { port: backend.endpoint.port }))
  assert.deepEqual([taken.status, codeOf(taken)], [409, 'TL_PORT_TAKEN'])
  const twins = routeTo([backend.endpoint, backend.endpoint])
  for (const [path, body] of [
    ['/routes/demo', { ...routeTo([]), timeoutMs: -1 }],
    ['/routes/demo', { ...routeTo([]), extra: 1 }],
    ['/routes/demo', twins],
    ['/routes/demo', routeTo([], { weights: [] })],
    ['/routes/demo', weigh([1, 50.5], [2, 49.5])],
    ['/routes/demo', weigh([1, -1], [2, 101])],
    ['/routes/demo', weigh([1, 50], [1, 50])],
    ['/routes/other', routeTo([])],
    ['/routes/%zz', routeTo([])],
  ] as const) {
    const answer = await control(config, 'PUT', path, body)
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'TL_REQUEST_INVALID'], JSON.stringify(body))
  }
  const short = await control(config, 'PUT', '/routes/demo', weigh([1, 5], [2, 90]))
  assert.equal(short.status, 400)
  assert.match(JSON.stringify(short.body), /weights: the sum is 95 percent, and must be 100/)
  assert.equal((await control(config, 'GET', '/nothing')).status, 404)
  assert.deepEqual((await control(config, 'GET', '/routes')).body, [])
})

test('a gateway begins with the routes it had, on the same ports', async (t) => {
  const config = createConfig(t)
  const backend = await openBackend(t, 'a', answerWith('hello'))
  const first = await openGateway(config, silent)
  const { port } = await put(config, routeTo([backend.endpoint]))
  await put(config, routeTo([], { service: 'other' }))
  await first.close()
  await assert.rejects(get(port), /ECONNREFUSED/)

  const second = await openGateway(config, silent)
  t.after(async () => await second.close())
  assert.equal((await get(port)).body, 'hello')
  const listed = (await control(config, 'GET', '/routes')).body as GatewayRouteStatus[]
  assert.deepEqual(
    listed.map(({ service }) => service),
    ['demo', 'other'],
  )
})

test('unreadable routes and taken ports do not keep a gateway from starting', async (t) => {
  const config = createConfig(t)
  const backend = await openBackend(t, 'a', answerWith('hello'))
  for (const text of ['{', JSON.stringify([routeTo([], { port: backend.endpoint.port })])]) {
    writeFileSync(config.routesFile, text)
    const gateway = await openGateway(config, silent)
    assert.deepEqual((await control(config, 'GET', '/routes')).body, [])
    await gateway.close()
  }
})

interface Running {
  readonly child: ChildProcess
  readonly exited: Promise<readonly [code: number | null, signal: string | null]>
}

async function startProcess(t: TestContext, config: GatewayConfig): Promise<Running> {
  const folder = join(config.announceFile, '..')
  const configFile = join(folder, 'gateway-config.json')
  writeFileSync(configFile, JSON.stringify(config))
  const { promise: serving, resolve } = Promise.withResolvers<void>()
  const watcher = watch(folder, (_, name) => {
    if (name === 'gateway.json' && readFileSync(config.announceFile, 'utf8').includes('Serving')) resolve()
  })
  const entry = beside(import.meta.url, '../gateway-process')
  const child = spawn(process.execPath, [entry.pathname, configFile], { stdio: ['ignore', 'inherit', 'inherit'] })
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  t.after(() => child.kill('SIGKILL'))
  await Promise.race([
    serving,
    exited.then(([code]) => assert.fail(`it ended with ${code}: ${readFileSync(config.logFile, 'utf8')}`)),
  ])
  watcher.close()
  return { child, exited }
}

test('the process announces itself, serves again after kill -9, and drains when told to end', async (t) => {
  const config = createConfig(t)
  const release = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const backend = await openBackend(t, 'a', (request, response) => {
    if (request.url !== '/slow') return void response.end('hello')
    asked.resolve()
    void release.promise.then(() => response.end('owed'))
  })
  const first = await startProcess(t, config)
  const { port } = await put(config, routeTo([backend.endpoint]))
  assert.equal((await get(port)).body, 'hello')
  const identity = JSON.parse(readFileSync(config.announceFile, 'utf8')) as ProcessIdentity
  assert.equal(identity.pid, first.child.pid)
  assert.ok(isRunning(identity))
  first.child.kill('SIGKILL')
  await first.exited
  writeFileSync(config.announceFile, '')

  const second = await startProcess(t, config)
  assert.equal((await get(port)).body, 'hello')
  const owed = requestJson({ url: `http://127.0.0.1:${port}`, method: 'GET', path: '/slow', timeoutMs: 5000 })
  await asked.promise
  second.child.kill('SIGTERM')
  release.resolve()
  assert.equal((await owed).body, 'owed')
  assert.deepEqual(await second.exited, [0, null])
  assert.match(readFileSync(config.logFile, 'utf8'), /"msg":"drained"/)
})

/** Two revisions; the second gets three of four. */
async function openWeighted(t: TestContext): Promise<GatewayRoute> {
  const first = await openBackend(t, 'first', answerWith('1'))
  const second = await openBackend(t, 'second', answerWith('2'))
  const weights = [
    { revision: 1, percent: 25 },
    { revision: 2, percent: 75 },
  ]
  return routeTo([first.endpoint, { ...second.endpoint, revision: 2 }], { weights })
}

async function askForty(port: number): Promise<readonly [first: number, second: number]> {
  let second = 0
  for (let count = 0; count < 40; count++) if ((await get(port)).body === '2') second++
  return [40 - second, second]
}

test('a gateway that was killed comes back with the weights it had, and with counts of its own', async (t) => {
  const config = createConfig(t)
  const first = await startProcess(t, config)
  const { port, countedSince } = await put(config, await openWeighted(t))
  assert.deepEqual(await askForty(port), [10, 30])
  first.child.kill('SIGKILL')
  await first.exited
  writeFileSync(config.announceFile, '')

  await startProcess(t, config)
  assert.deepEqual(await askForty(port), [10, 30])
  const [status] = (await control(config, 'GET', '/routes')).body as GatewayRouteStatus[]
  assert.notEqual(status?.countedSince, countedSince)
  assert.deepEqual(
    status?.revisions.map(({ revision, requests }) => [revision, requests]),
    [
      [1, 10],
      [2, 30],
    ],
  )
})

test('a successor takes the weights over', async (t) => {
  const config = createConfig(t)
  const gateway = await openGateway(config, silent)
  const { port } = await put(config, await openWeighted(t))
  const file = (name: string): string => join(config.announceFile, '..', name)
  const heir = { ...config, controlSocket: file('gateway-2.sock'), announceFile: file('gateway-2.json') }
  writeFileSync(file('heir.json'), JSON.stringify(heir))
  const entry = beside(import.meta.url, '../gateway-process').pathname
  const succession = { entry, configFile: file('heir.json'), stderrFile: file('stderr') }
  const { status, body } = await control(config, 'POST', '/successor', succession)
  assert.equal(status, 200, JSON.stringify(body))
  t.after(() => process.kill((body as ProcessIdentity).pid, 'SIGKILL'))
  // It lingers for whoever keeps a connection; here nobody does, so only the new one accepts from now on.
  await gateway.close()
  assert.deepEqual(await askForty(port), [10, 30])
  const [inherited] = (await control(heir, 'GET', '/routes')).body as GatewayRouteStatus[]
  assert.equal(inherited?.requests, 40)
})

test('a process whose lease lapses ends by itself', async (t) => {
  const config = createConfig(t)
  const { exited } = await startProcess(t, { ...config, lease: { ...config.lease, leaseMs: 200 } })
  assert.deepEqual(await exited, [0, null])
  assert.match(readFileSync(config.logFile, 'utf8'), /no engine renewed the lease for 200 ms/)
})

test('a successor that fails is reported with its reason, and nothing has changed', async (t) => {
  const config = createConfig(t)
  const gateway = await openGateway(config, silent)
  t.after(async () => await gateway.close())
  const backend = await openBackend(t, 'a', answerWith('hello'))
  const { port } = await put(config, routeTo([backend.endpoint]))
  const configFile = join(config.announceFile, '../broken.json')
  writeFileSync(configFile, '{}')
  const stderrFile = join(config.announceFile, '../stderr')
  const entry = beside(import.meta.url, '../gateway-process').pathname
  const refused = await control(config, 'POST', '/successor', { entry, configFile, stderrFile })
  assert.deepEqual([refused.status, codeOf(refused)], [500, 'TL_ENGINE_START'])
  assert.match(JSON.stringify(refused.body), /the new gateway ended at its start \(exit code 1\)/)
  assert.match(readFileSync(stderrFile, 'utf8'), /the gateway's configuration does not fit/)
  assert.equal((await get(port)).body, 'hello')
  await put(config, routeTo([backend.endpoint], { service: 'other' }))
})
