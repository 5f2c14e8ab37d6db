import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ImageDescription } from '../../src/image/inspect.ts'
import type { BuiltDescription } from '../../src/cli/view/image/built-rows.ts'
import type { DescribedPlan } from '../../src/cli/view/image/plan-rows.ts'
import type { Pushed } from '../../src/cli/image/push-image.ts'
import type { Attestation } from '../../src/store/attestation.ts'
import { writeAttestation } from '../../src/store/attestation-files.ts'
import { towline } from '../kit/command.ts'
import { makeBaseImage } from '../kit/containers/debian-base.ts'
import { type DebianRegistry, startDebianRegistry } from '../kit/containers/debian-registry.ts'
import { type DockerDaemon, startDockerDaemon } from '../kit/containers/docker-daemon.ts'
import { runProgram } from '../kit/containers/program.ts'
import { requirePeer } from '../kit/peer.ts'
import { type BillOfMaterials, findSchemaErrors } from './bill-of-materials.ts'
import { listContents, readTree, selectOwn, unpackLayout } from './file-tree.ts'
import { checkPlanned } from './planned-files.ts'
import { copyExample, makeFolder, readTowline } from './project.ts'
import { openRepository } from './registry-client.ts'
import { classifyCat, checkLog, provesItself, runUntouched, serveImage } from './served-image.ts'

const attestationType = 'application/vnd.towline.attestation.v1+json'
const sbomType = 'application/vnd.cyclonedx+json'
/** Compressed, with the base and without the model. */
const maxRuntimeBytes = 120e6

interface Scene {
  readonly daemon: DockerDaemon
  readonly registry: DebianRegistry
  readonly project: string
  readonly base: string
  readonly reference: string
  readonly built: BuiltDescription & { readonly pushed: Pushed }
  readonly plan: DescribedPlan
}

test('an image without Docker is built, pushed, run and pulled', { timeout: 300_000 }, async (t) => {
  const scene = await openScene(t)
  if (scene === undefined) return
  const { daemon, registry, project, base, reference, built, plan } = scene
  const [image = assert.fail('nothing was built')] = built.images
  const repository = openRepository(registry.url, 'cats')
  await daemon.docker(['pull', reference])
  const untouched = await runUntouched(daemon, reference)

  await t.test('without the model it is small', () => {
    assert.ok(image.sizeBytes - image.modelBytes < maxRuntimeBytes, `${image.sizeBytes - image.modelBytes} bytes`)
    assert.ok(image.modelBytes > 18e6, `${image.modelBytes} bytes of model`)
  })

  await t.test('the layers of the base are mounted from its repository, and not sent', async () => {
    const { layers } = await openRepository(registry.url, 'base/cc').readManifest('12')
    const ofBase = built.pushed.blobs.filter(({ digest }) => layers.some((layer) => layer.digest === digest))
    assert.deepEqual(
      ofBase.map(({ how, sentBytes }) => [how, sentBytes]),
      layers.map(() => ['Mounted', 0]),
    )
  })

  await t.test('the lock names image and base by digest', () => {
    const lock = readFileSync(join(project, 'towline.lock'), 'utf8')
    assert.match(lock, new RegExp(`^image: ${registry.host}/cats@${built.digest}$`, 'm'))
    assert.match(lock, new RegExp(`^base: ${base}@${image.base.digest}$`, 'm'))
  })

  await t.test('its files are those of the plan, owned by root, readable by all and without a time', async (t) => {
    const folder = makeFolder(t, 'unpacked')
    const layout = join(folder, 'layout')
    await runProgram('skopeo', [
      '--insecure-policy',
      'copy',
      '--src-tls-verify=false',
      `docker://${reference}`,
      `oci:${layout}:cats`,
    ])
    const root = await unpackLayout(`${layout}:cats`, join(folder, 'image'))
    const tree = readTree(root)
    const own = selectOwn(tree, true)
    for (const [path, { kind, mode, owner, mtimeS }] of own) {
      const isProgram = kind === 'Folder' || path === 'opt/towline/node/bin/node'
      assert.deepEqual([mode.toString(8), owner, mtimeS], [isProgram ? '755' : '644', '0:0', 0], path)
    }
    checkPlanned(root, own, plan)
    const ofBase = readTree(await unpackLayout(`${await makeBaseImage('cc')}:latest`, join(folder, 'base')))
    const rest = selectOwn(tree, false)
    assert.deepEqual(listContents(rest), { ...listContents(ofBase), opt: 'Folder ' })
    for (const [path, { mode, owner }] of ofBase)
      assert.deepEqual([rest.get(path)?.mode, rest.get(path)?.owner], [mode, owner], path)
  })

  await t.test('it classifies a photo without any rights, and drains at SIGTERM', async (t) => {
    await provesItself(t, daemon, reference)
  })

  await t.test('as it is, it becomes healthy without any network', async () => {
    assert.equal(await untouched.untilHealthKnown(), 'healthy')
    checkLog(await untouched.readLogs())
  })

  await t.test('a second build makes nothing, and a second push sends nothing', async () => {
    const again = await readTowline<Scene['built']>(project, ['build', '--base', base, '--push', reference])
    assert.equal(again.digest, built.digest)
    for (const { name, isRemembered } of again.images[0]?.layers ?? []) assert.ok(isRemembered, name)
    assert.equal(again.lockChanged, false)
    assert.deepEqual(again.pushed.referrers, built.pushed.referrers)
    for (const { digest, how, sentBytes } of again.pushed.blobs)
      assert.deepEqual([how, sentBytes], ['Present', 0], digest)
    const { code, out } = await towline(['build', '--base', base, '--locked'], project)
    assert.equal(code, 0)
    const rows = out.split('\n').filter((row) => / (from the cache|made)$/.test(row))
    assert.equal(rows.length, plan.layers.length, out)
    for (const row of rows) assert.match(row, /from the cache$/)
  })

  await t.test('its bill of materials is listed under it, is valid, and names what is in it', async () => {
    const { manifests } = await repository.readIndex(built.digest.replace(':', '-'))
    const listed = manifests.find(({ artifactType }) => artifactType === sbomType) ?? assert.fail('no SBOM is listed')
    const { layers, subject } = await repository.readManifest(listed.digest)
    assert.equal(subject?.digest, built.digest)
    const document = await repository.readJson(layers[0]?.digest ?? assert.fail('the SBOM is empty'))
    assert.deepEqual(findSchemaErrors(document), [])
    const { components } = document as BillOfMaterials
    const names = components.map(({ name }) => name)
    for (const name of ['node', 'onnxruntime-node', 'libc6', 'image-classifier']) assert.ok(names.includes(name), name)
    assert.ok(components.some(({ type, name }) => type === 'machine-learning-model' && name === 'image-classifier'))
  })

  await t.test('what an environment said of the model is listed under it too', async () => {
    const { manifests } = await repository.readIndex(built.digest.replace(':', '-'))
    const listed = manifests.filter(({ artifactType }) => artifactType === attestationType)
    assert.equal(listed.length, 1)
    const { layers, annotations } = await repository.readManifest(listed[0]?.digest ?? '')
    assert.equal(annotations?.['dev.towline.environment'], 'staging')
    const document = await repository.readJson(layers[0]?.digest ?? assert.fail('the attestation is empty'))
    assert.deepEqual(document, attestationOf(built.model))
  })

  await t.test('`towline inspect` says who runs what in it', async () => {
    const { digest, platforms } = await readTowline<ImageDescription>(project, ['inspect', reference])
    assert.equal(digest, built.digest)
    const [only = assert.fail('no platform'), ...others] = platforms
    assert.deepEqual(others, [])
    assert.equal(only.created, '1970-01-01T00:00:00Z')
    const { user, entrypoint, stopSignal, ports, labels } = only.run
    assert.deepEqual([user, stopSignal, ports], ['65532:65532', 'SIGTERM', ['8080/tcp', '9090/tcp']])
    assert.deepEqual(entrypoint, ['/opt/towline/node/bin/node', '/opt/towline/dist/serve/replica-process.js'])
    assert.equal(labels['org.opencontainers.image.base.digest'], image.base.digest)
    assert.equal(labels['org.opencontainers.image.base.name'], base)
    assert.equal(only.layers.length, image.layers.length + 1)
  })

  await t.test('pulled into a folder it is the same image, and pulled into a file Docker loads it', async (t) => {
    const folder = makeFolder(t, 'pulled')
    await readTowline(project, ['pull', reference, '--output', `oci:${folder}/layout:cats`])
    const { out } = await runProgram('skopeo', ['inspect', '--raw', `oci:${folder}/layout:cats`])
    assert.deepEqual(JSON.parse(out), await repository.readManifest('1'))
    await readTowline(project, ['pull', reference, '--output', `docker-archive:${folder}/cats.tar`])
    const idOf = async (): Promise<string> =>
      (await daemon.docker(['inspect', '--type=image', '--format={{.Id}}', reference])).out.trim()
    const pulledId = await idOf()
    await daemon.docker(['tag', reference, 'kept:1'])
    await daemon.docker(['rmi', reference])
    const loaded = await daemon.docker(['load', '--input', `${folder}/cats.tar`])
    assert.match(loaded.out, new RegExp(`Loaded image: ${reference}`))
    assert.equal(await idOf(), pulledId)
    const container = await serveImage(t, daemon, reference)
    assert.equal((await classifyCat(container.url))[0], 'Egyptian cat')
  })

  await t.test('the model in ModelPack form has the very layers of the image, and none is sent again', async () => {
    const before = registry.readLog().length
    const pushed = await readTowline<Pushed>(project, ['push', reference, '--model-pack', '1-model'])
    const log = registry.readLog().slice(before)
    const pack = await repository.readManifest('1-model')
    assert.equal(pack.artifactType, 'application/vnd.cncf.model.manifest.v1+json')
    const ofModel = image.layers.filter(({ name }) => name === 'weights' || name === 'model')
    assert.deepEqual(
      pack.layers.map(({ digest, size }) => [digest, size]),
      ofModel.map(({ digest, sizeBytes }) => [digest, sizeBytes]),
    )
    assert.equal(pushed.modelPack?.digest, built.modelPack)
    assert.match(
      log,
      new RegExp(`digest=sha256(%3A|:)${pack.config.digest.slice('sha256:'.length)}`),
      'the log shows uploads',
    )
    for (const { digest } of pack.layers) assert.doesNotMatch(log, new RegExp(`digest=sha256(%3A|:)${digest.slice(7)}`))
  })
})

async function openScene(t: TestContext): Promise<Scene | undefined> {
  if (requirePeer(t, 'umoci') === undefined) return undefined
  const daemon = await startDockerDaemon(t)
  const registry = daemon && (await startDebianRegistry(t))
  if (daemon === undefined || registry === undefined) return undefined
  const project = copyExample(t)
  const base = await registry.fill('cc')
  const [plan = assert.fail('no plan')] = await readTowline<DescribedPlan[]>(project, [
    'build',
    '--plan',
    '--base',
    base,
  ])
  writeAttestation(project, attestationOf(plan.model.digest))
  // Of a model that is not in the image: nobody asked about it.
  writeAttestation(project, attestationOf(`sha256:${'0'.repeat(64)}`))
  const reference = `${registry.host}/cats:1`
  const built = await readTowline<Scene['built']>(project, ['build', '--base', base, '--push', reference])
  return { daemon, registry, project, base, reference, built, plan }
}

function attestationOf(model: string): Attestation {
  return {
    version: 1,
    environment: 'staging',
    service: 'image-classifier',
    model,
    image: null,
    url: 'http://127.0.0.1:8080',
    atMs: 1_700_000_000_000,
    towline: '0.1.0',
    passed: true,
    checks: [{ name: 'coffee.jpg', passed: true, detail: 'espresso', figures: { tookMs: 12 } }],
  }
}
