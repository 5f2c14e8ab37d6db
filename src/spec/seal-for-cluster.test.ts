import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { inputsHash, type Lock } from './lock.ts'
import { sealForCluster } from './seal-for-cluster.ts'

const digest = `sha256:${'a'.repeat(64)}`

function writeSpec(t: TestContext, spec: object): { file: string; lock: Lock } {
  const dir = mkdtempSync(join(tmpdir(), 'towline-seal-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'towline.yaml')
  const document = {
    apiVersion: 'towline.dev/v1alpha1',
    kind: 'ModelService',
    metadata: { name: 'cats' },
    spec: { model: { uri: './model' }, ...spec },
  }
  writeFileSync(file, stringify(document))
  const image = `registry.example/cats@${digest}`
  return { file, lock: { inputs: inputsHash(document), image, model: { uri: 'image:///models', digest } } }
}

async function say(t: TestContext, spec: object): Promise<string[]> {
  const { file, lock } = writeSpec(t, spec)
  return (await sealForCluster(file, { lock })).diagnostics.map(
    ({ severity, message }) => `${severity} ${message.split(/[;:] /)[0]}`,
  )
}

test('a spec and its lock are what a cluster gets, without the files of the model', async (t) => {
  const { file, lock } = writeSpec(t, {
    replicas: 2,
    gpu: { count: 1, minMemory: '16Gi', minComputeCapability: '8.6' },
  })
  const { clusterService, diagnostics } = await sealForCluster(file, { lock })
  assert.deepEqual(
    diagnostics.map(({ severity }) => severity),
    ['warning'],
  )
  assert.ok(clusterService !== undefined)
  assert.equal(clusterService.image, lock.image)
  assert.deepEqual(clusterService.model, { uri: 'image:///models', digest })
  assert.deepEqual(clusterService.gpu, {
    count: 1,
    sharing: 'Exclusive',
    minMemoryBytes: 16 * 1024 ** 3,
    minComputeCapability: { major: 8, minor: 6 },
  })
})

test('without a lock, or with one of another spec, the way to one is said', async (t) => {
  const { file, lock } = writeSpec(t, {})
  const open = await sealForCluster(file, {})
  assert.match(open.diagnostics.map(({ message }) => message).join('\n'), /run `towline build`/)
  const stale = await sealForCluster(file, { lock: { ...lock, inputs: 'other' } })
  assert.deepEqual(
    stale.diagnostics.map(({ code }) => code),
    ['TL_LOCK_STALE'],
  )
  assert.equal(stale.clusterService, undefined)
})

test('what would break a promise on a cluster is refused by name, all at once', async (t) => {
  const said = await say(t, {
    rollout: { steps: [{ weight: 5 }], requires: [{ environment: 'staging' }] },
    expose: { apiKeys: { secretRef: { name: 'callers' } } },
    profile: 'gpu',
  })
  for (const field of ['profile', 'rollout.steps', 'rollout.requires', 'expose.apiKeys'])
    assert.ok(
      said.some((line) => line.startsWith(`error \`${field}\` is not supported yet by \`towline deploy\``)),
      `${field} in ${said.join('\n')}`,
    )
})

test('what a plain autoscaler cannot honour is a warning that says what is left', async (t) => {
  const { file, lock } = writeSpec(t, {
    autoscaling: { minReplicas: 2, maxReplicas: 5, targets: { concurrency: 4 } },
  })
  const { diagnostics, clusterService } = await sealForCluster(file, { lock })
  assert.match(diagnostics[0]?.message ?? '', /concurrency.*cannot be honoured.*stays at 2.*give `cpuPercent`/)
  assert.equal(diagnostics[0]?.severity, 'warning')
  assert.ok(clusterService !== undefined)
})

test('findings of the lock lie at their fields', async (t) => {
  const { file } = writeSpec(t, {})
  const { diagnostics } = await sealForCluster(file, {})
  const model = diagnostics.find(({ code }) => code === 'TL_SEAL_LOCAL')
  assert.deepEqual([model?.at.line, model?.at.column], [7, 10])
})

test('what a Deployment cannot do after a failure is said, and other places of a model are refused', async (t) => {
  assert.match(
    (await say(t, { rollout: { onFailure: 'Pause' } })).join('\n'),
    /^warning `rollout.onFailure` is what `towline deploy` does/,
  )
  const said = await say(t, { model: { uri: 'image:///elsewhere' } })
  assert.ok(
    said.some((line) => line.startsWith('error a model at a remote address')),
    said.join('\n'),
  )
})

test('checks that nobody will send are refused once, whether their files are there or not', async (t) => {
  const said = await say(t, { rollout: { smoke: ['./none.jpg'] } })
  assert.equal(said.filter((line) => line.startsWith('error')).length, 1)
})

test('an image without a registry is one that nodes look for elsewhere', async (t) => {
  const { file, lock } = writeSpec(t, {})
  const sealWith = async (image: string) => (await sealForCluster(file, { lock: { ...lock, image } })).diagnostics[0]
  const hub = await sealWith(`team/cats@${digest}`)
  assert.deepEqual([hub?.severity, /`team\/cats` names no registry/.test(hub?.message ?? '')], ['warning', true])
  const local = await sealWith(`cats@${digest}`)
  assert.deepEqual([local?.severity, /built and not pushed/.test(local?.message ?? '')], ['error', true])
})
