import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BuiltDescription } from '../../src/cli/view/image/built-rows.ts'
import type { WrittenDockerfile } from '../../src/cli/image/write-dockerfile.ts'
import { type DebianRegistry, startDebianRegistry } from '../kit/containers/debian-registry.ts'
import { type DockerDaemon, startDockerDaemon } from '../kit/containers/docker-daemon.ts'
import { type Buildah, buildWithBuildah, buildWithDocker, openBuildah } from '../kit/containers/image-build.ts'
import { startNpmMirror } from '../kit/containers/npm-mirror.ts'
import { exportOwn, inspectImage, selectRun } from './docker-image.ts'
import { listContents } from './file-tree.ts'
import { copyExample, makeFolder, readTowline } from './project.ts'
import { provesItself } from './served-image.ts'

interface Scene {
  readonly daemon: DockerDaemon
  readonly registry: DebianRegistry
  readonly buildah: Buildah
  readonly project: string
  /** With a Dockerfile of its own. */
  readonly other: string
  readonly buildArgs: { readonly BUILD_BASE: string; readonly BASE: string }
  /** Of the daemonless builder, from the same spec. */
  readonly reference: string
}

const ownDockerfile = 'FROM scratch\n'
const network = 'host'
const baseLabels = ['org.opencontainers.image.base.name', 'org.opencontainers.image.base.digest']

test('the generated Dockerfile makes the image of the daemonless builder', { timeout: 600_000 }, async (t) => {
  const scene = await openScene(t)
  if (scene === undefined) return
  const { daemon, registry, buildah, project, other, buildArgs, reference } = scene
  const classic = 'cats:classic'
  const buildKit = 'cats:buildkit'
  const byBuildah = `${registry.host}/cats:buildah`

  await t.test('the classic builder of Docker builds it, and it serves', async (t) => {
    await buildWithDocker(daemon, project, { tag: classic, network, buildArgs, buildKit: false })
    await provesItself(t, daemon, classic)
  })

  await t.test('BuildKit builds it, and it serves', async (t) => {
    await buildWithDocker(daemon, project, { tag: buildKit, network, buildArgs, buildKit: true })
    await provesItself(t, daemon, buildKit)
  })

  await t.test('Buildah builds it on the base that the build names, and it serves', async (t) => {
    const dockerfile = join(other, 'Dockerfile.towline')
    await buildWithBuildah(buildah, other, { tag: byBuildah, dockerfile, buildArgs })
    await buildah.buildah(['push', '--quiet', '--tls-verify=false', byBuildah])
    await daemon.docker(['pull', byBuildah])
    await provesItself(t, daemon, byBuildah)
  })

  await t.test('a Dockerfile of the user is not touched: ours has another name', () => {
    assert.equal(readFileSync(join(other, 'Dockerfile'), 'utf8'), ownDockerfile)
    const written = readdirSync(other).filter((name) => name.startsWith('Dockerfile'))
    assert.deepEqual(written.toSorted(), [
      'Dockerfile',
      'Dockerfile.towline',
      'Dockerfile.towline.dockerignore',
      'Dockerfile.towline.files',
    ])
  })

  await t.test('each runs as the daemonless image does', async () => {
    const wanted = await inspectImage(daemon, reference)
    for (const image of [classic, buildKit, byBuildah]) {
      const seen = await inspectImage(daemon, image)
      assert.deepEqual(selectRun(seen), selectRun(wanted), image)
      const { 'io.buildah.version': _buildah, ...labels } = seen.Config.Labels
      const leftOut = image === byBuildah ? baseLabels : baseLabels.slice(1)
      assert.deepEqual(withoutKeys(labels, leftOut), withoutKeys(wanted.Config.Labels, leftOut), image)
    }
  })

  await t.test('each holds the files of the daemonless image', async (t) => {
    const folder = makeFolder(t, 'exported')
    const wanted = listContents(await exportOwn(daemon, reference, folder))
    assert.ok(Object.keys(wanted).length > 100)
    for (const image of [classic, buildKit, byBuildah]) {
      const tree = await exportOwn(daemon, image, folder)
      assert.deepEqual(listContents(tree), wanted, image)
      for (const [path, { mode }] of tree) assert.equal(mode & 0o444, 0o444, `${image}: ${path} is not for all to read`)
    }
  })

  await t.test('an edit of the settings makes the last layer anew, and nothing else', async () => {
    const before = await buildCached(daemon, project, 'cats:before', buildArgs)
    assert.deepEqual(
      before.filter(({ isCached }) => !isCached),
      [],
      'all of it was built before',
    )
    const spec = join(project, 'towline.yaml')
    writeFileSync(spec, readFileSync(spec, 'utf8').replace('memory: 1Gi', 'memory: 2Gi').replace('cpu: 1', 'cpu: 2'))
    await readTowline(project, ['build', '--dockerfile', '--base', buildArgs.BASE])
    const after = await buildCached(daemon, project, 'cats:after', buildArgs)
    const first = after.find(({ isCached }) => !isCached) ?? assert.fail('nothing was made anew')
    assert.match(first.step, /^COPY .* \/etc\/towline\/replica\.json$/)
    const layersOf = async (image: string): Promise<readonly string[]> =>
      (await inspectImage(daemon, image)).RootFS.Layers
    const known = await layersOf('cats:before')
    const changed = (await layersOf('cats:after')).filter((layer, index) => layer !== known[index])
    assert.equal(changed.length, 1)
  })

  await t.test('another model leaves the layers of packages as they are', async () => {
    appendFileSync(join(project, 'model', 'card.yaml'), '# another one\n')
    await readTowline(project, ['build', '--dockerfile', '--base', buildArgs.BASE])
    const steps = await buildCached(daemon, project, 'cats:another', buildArgs)
    const packages = steps.filter(({ step }) => step.startsWith('COPY --from=build /layers/'))
    assert.equal(packages.length, 4)
    for (const { step, isCached } of packages) assert.ok(isCached, step)
    assert.ok(steps.some(({ isCached }) => !isCached))
  })
})

async function openScene(t: TestContext): Promise<Scene | undefined> {
  const daemon = await startDockerDaemon(t)
  const registry = daemon && (await startDebianRegistry(t))
  const buildah = registry && openBuildah(t)
  if (daemon === undefined || registry === undefined || buildah === undefined) return undefined
  const project = copyExample(t)
  const other = copyExample(t)
  const BASE = await registry.fill('cc')
  const reference = `${registry.host}/cats:1`
  await readTowline<BuiltDescription>(project, ['build', '--base', BASE, '--push', reference])
  await daemon.docker(['pull', reference])

  const { file } = await readTowline<WrittenDockerfile>(project, ['build', '--dockerfile', '--base', BASE])
  assert.equal(file, 'Dockerfile')
  writeFileSync(join(other, 'Dockerfile'), ownDockerfile)
  const written = await readTowline<WrittenDockerfile>(other, ['build', '--dockerfile'])
  assert.equal(written.file, 'Dockerfile.towline')

  const mirror = await startNpmMirror(t, join(project, 'Dockerfile.files', 'package-lock.json'))
  const BUILD_BASE = await registry.fill('node-build', { npm_config_registry: mirror.url })
  return { daemon, registry, buildah, project, other, buildArgs: { BUILD_BASE, BASE }, reference }
}

interface BuildStep {
  /** As the Dockerfile has it. */
  readonly step: string
  readonly isCached: boolean
}

/** The classic builder with its cache: it says of each step where it had it from. */
async function buildCached(
  daemon: DockerDaemon,
  folder: string,
  tag: string,
  buildArgs: Readonly<Record<string, string>>,
): Promise<readonly BuildStep[]> {
  const args = Object.entries(buildArgs).map(([name, value]) => `--build-arg=${name}=${value}`)
  const how = ['build', `--network=${network}`, `--tag=${tag}`, ...args, folder]
  const { out } = await daemon.docker(how, { env: { DOCKER_BUILDKIT: '0' } })
  const steps = out.split(/^Step \d+\/\d+ : /m).slice(1)
  // An image that another stage begins with is not made, and no argument before it.
  return steps
    .filter((text) => !/^(FROM|ARG) /.test(text))
    .map((text) => ({ step: text.split('\n')[0]?.trim() ?? '', isCached: text.includes('---> Using cache') }))
}

function withoutKeys(
  labels: Readonly<Record<string, string>>,
  keys: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.includes(key)))
}
