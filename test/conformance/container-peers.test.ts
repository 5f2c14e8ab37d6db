import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runContainer } from '../kit/containers/container.ts'
import { account, startDebianRegistry } from '../kit/containers/debian-registry.ts'
import { type DockerDaemon, startDockerDaemon } from '../kit/containers/docker-daemon.ts'
import { findFreePort } from '../kit/containers/free-port.ts'
import { buildWithBuildah, buildWithDocker, openBuildah } from '../kit/containers/image-build.ts'
import { startNpmMirror } from '../kit/containers/npm-mirror.ts'
import { requirePeer } from '../kit/peer.ts'

const minutes = 60_000

const lock = {
  name: 'peer',
  version: '1.0.0',
  lockfileVersion: 3,
  requires: true,
  packages: {
    '': { name: 'peer', version: '1.0.0', dependencies: { ms: '2.1.3' } },
    'node_modules/ms': {
      version: '2.1.3',
      resolved: 'https://registry.npmjs.org/ms/-/ms-2.1.3.tgz',
      integrity: 'sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==',
      license: 'MIT',
    },
  },
}

const server = `
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import ms from 'ms'
const write = (file) => { try { writeFileSync(file, ''); return 'written' } catch (error) { return error.code } }
const answer = () => JSON.stringify({ ms: ms('1h'), uid: process.getuid(), root: write('/file'), tmp: write('/tmp/file') })
createServer((request, response) => response.end(answer())).listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGUSR2', () => process.exit(7))
`

const dockerfile = (node: string, cc: string): string => `FROM ${node} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
FROM ${cc}
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app/node_modules /app/node_modules
COPY server.mjs /app/
USER 65532
STOPSIGNAL SIGUSR2
HEALTHCHECK --interval=1s --timeout=5s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT)"]
ENTRYPOINT ["node", "/app/server.mjs"]
`

test('images from three builders run without rights', { timeout: 2 * minutes }, async (t) => {
  const daemon = await startDockerDaemon(t)
  const registry = daemon && (await startDebianRegistry(t))
  const buildah = registry && openBuildah(t)
  if (daemon === undefined || registry === undefined || buildah === undefined) return
  const folder = createContext(t)
  const mirror = await startNpmMirror(t, join(folder, 'package-lock.json'))
  const node = await registry.fill('node-build', { npm_config_registry: mirror.url })
  writeFileSync(join(folder, 'Dockerfile'), dockerfile(node, await registry.fill('cc')))
  const network = 'host'

  await t.test('the classic builder of Docker', async () => {
    await buildWithDocker(daemon, folder, { tag: 'peer:classic', network, buildKit: false })
    await provesItself(daemon, 'peer:classic')
  })
  await t.test('BuildKit', async () => {
    await buildWithDocker(daemon, folder, { tag: 'peer:buildkit', network, buildKit: true })
    await provesItself(daemon, 'peer:buildkit')
  })
  await t.test('Buildah, through the registry', async () => {
    const reference = `${registry.host}/peer:buildah`
    await buildWithBuildah(buildah, folder, { tag: reference })
    await buildah.buildah(['push', '--quiet', '--tls-verify=false', reference])
    await provesItself(daemon, reference)
  })
  await t.test('each build had its package from the mirror', () => {
    const tarballs = mirror.requests.filter((path) => path.includes('/-/'))
    assert.deepEqual(tarballs, Array(3).fill('ms/-/ms-2.1.3.tgz'))
  })
})

test('a registry that asks for a login gives nothing without one', async (t) => {
  const daemon = await startDockerDaemon(t)
  const registry = daemon && (await startDebianRegistry(t, { login: true }))
  if (daemon === undefined || registry === undefined) return
  const image = await registry.fill('cc')
  await assert.rejects(daemon.docker(['pull', image]), /no basic auth credentials/)
  const { user, password } = account
  await daemon.docker(['login', '--username', user, '--password-stdin', registry.host], { input: password })
  await daemon.docker(['pull', image])
  assert.match(registry.readLog(), /response completed/)
})

test('a Docker daemon leaves nothing behind', async (t) => {
  if (requirePeer(t, 'dockerd') === undefined) return
  let folder = ''
  await t.test('while it runs', async (t) => {
    const daemon = await startDockerDaemon(t)
    if (daemon === undefined) return
    folder = dirname(daemon.socket)
    assert.ok(existsSync(folder))
  })
  if (folder === '') return t.skip('no daemon was started')
  assert.ok(!existsSync(folder))
  const left = readdirSync('/sys/fs/cgroup', { recursive: true }).filter((path) => path.includes(basename(folder)))
  assert.deepEqual(left, [])
})

async function provesItself(daemon: DockerDaemon, image: string): Promise<void> {
  const port = await findFreePort()
  const container = await runContainer(daemon, image, { port, env: { PORT: String(port) } })
  const answer = await fetch(container.url)
  assert.deepEqual(await answer.json(), { ms: 3_600_000, uid: 65532, root: 'EROFS', tmp: 'EROFS' })
  assert.match(await container.readHealth(), /^(starting|healthy)$/)
  const { exitCode, tookMs } = await container.stop()
  assert.equal(exitCode, 7)
  assert.ok(tookMs < 8000, `it took ${tookMs} ms`)
  await container.remove()
}

function createContext(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-context-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'package.json'), JSON.stringify(lock.packages['']))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
  writeFileSync(join(folder, 'server.mjs'), server)
  return folder
}
