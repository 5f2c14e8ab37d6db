import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe } from 'node:test'
import fc from 'fast-check'
import type { StatusBody } from '../../src/kube/http/failure.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { resources } from '../../src/kube/resources.ts'
import { loadSpec } from '../../src/spec/load.ts'
import { inputsHash } from '../../src/spec/lock.ts'
import type { ModelServiceDocument } from '../../src/spec/schema/model-service.ts'
import { sealForCluster } from '../../src/spec/seal-for-cluster.ts'
import { openOnce } from '../kit/open-once.ts'
import { sealedDocument } from '../kit/cluster-service-sample.ts'
import { type Cluster, openCluster } from '../kit/cluster/open-cluster.ts'
import { completeSpec } from './crd-documents/complete-spec.ts'
import { oddValues } from './crd-documents/odd-values.ts'
import { ofEnv } from './crd-documents/of-env.ts'
import { ofPods } from './crd-documents/of-pods.ts'
import { ofQuantities } from './crd-documents/of-quantities.ts'
import { ofRollouts } from './crd-documents/of-rollouts.ts'
import { ofScaling } from './crd-documents/of-scaling.ts'
import { ofSealing } from './crd-documents/of-sealing.ts'
import { ofServing } from './crd-documents/of-serving.ts'
import { ofShape } from './crd-documents/of-shape.ts'
import { ofTheTarget } from './crd-documents/of-the-target.ts'
import { outOfReach } from './crd-documents/out-of-reach.ts'
import { writeRefused } from './crd-documents/refusal.ts'

interface Stored extends KubeObject {
  readonly spec: ModelServiceDocument['spec']
  readonly status?: object
}

/** The custom resource on a real API server: it takes what `towline deploy` takes, and refuses what that refuses, in the same words. */

const root = join(import.meta.dirname, '../..')
const definition = readFileSync(join(root, 'schemas/modelservice.crd.yaml'), 'utf8')
const path = '/apis/towline.dev/v1alpha1/namespaces/default/modelservices'
const refusals = [
  ...ofSealing,
  ...ofTheTarget,
  ...ofShape,
  ...ofServing,
  ...ofQuantities,
  ...ofEnv,
  ...ofScaling,
  ...ofRollouts,
  ...ofPods,
]

describe('the custom resource of a service', () => {
  let cluster: Cluster
  let client: KubeClient
  let dir: string

  const it = openOnce(60_000, async (scope) => {
    dir = mkdtempSync(join(tmpdir(), 'towline-crd-'))
    scope.after(() => rmSync(dir, { recursive: true }))
    const opened = await openCluster(scope, { kwok: false })
    if (opened === undefined) return
    cluster = opened
    await cluster.kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], definition)
    await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd/modelservices.towline.dev'])
    client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace: 'default' })
    scope.after(() => client.close())
    // Established comes a moment before the address is served.
    for (const deadline = Date.now() + 30_000; !(await client.serves(resources.modelServices)); await sleep(100))
      assert.ok(Date.now() < deadline, 'the kind is not served')
  })

  /** As `kubectl create --validate=strict --dry-run=server`: what the server would store, and what it says against it. */
  const ask = async (
    document: unknown,
  ): Promise<{ readonly stored?: ModelServiceDocument; readonly body: StatusBody }> => {
    const { status, body } = await client.request({
      method: 'POST',
      path: `${path}?dryRun=All&fieldValidation=Strict`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(document)),
    })
    const said = JSON.parse(Buffer.from(body).toString()) as unknown
    return status < 300 ? { stored: said as ModelServiceDocument, body: {} } : { body: said as StatusBody }
  }

  /** The document as it is sealed, and the errors that our own rules find. */
  const seal = async (document: unknown): Promise<{ readonly sealed: unknown; readonly errors: readonly string[] }> => {
    const file = join(dir, 'towline.yaml')
    writeFileSync(file, JSON.stringify(document))
    const { document: sealed, diagnostics } = await sealForCluster(file, {})
    const errors = diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)
    return { sealed: sealed ?? document, errors }
  }

  /** Both say the same of `spec`: that it is right, or that it is not. */
  const compare = async (spec: object): Promise<void> => {
    const { sealed, errors } = await seal(sealedDocument(spec))
    const { stored, body } = await ask(sealed)
    const said = stored === undefined ? (body.message ?? 'nothing') : ''
    assert.equal(said !== '', errors.length > 0, `${JSON.stringify(spec)}\nours: ${errors.join('; ')}\nserver: ${said}`)
    assert.doesNotMatch(
      said,
      /evaluating rule|no such|internal/i,
      `${JSON.stringify(spec)}: a rule that cannot be asked`,
    )
  }

  const apply = (name: string, spec: object, fieldManager = 'towline'): Promise<Stored> =>
    client.apply(resources.modelServices, { ...sealedDocument(spec), metadata: { name } }, { fieldManager })

  it('a sealed document is stored as it is: nothing is taken away, nothing is added', async () => {
    const example = join(root, 'examples/image-classifier/towline.yaml')
    const { document } = await loadSpec(example, { target: 'Cluster' })
    const { image, model } = sealedDocument().spec
    assert.ok(image !== undefined && model.digest !== undefined)
    const lock = { inputs: inputsHash(document), image, model: { uri: model.uri, digest: model.digest } }
    const sealedExample = await sealForCluster(example, { lock })
    const sealedComplete = await seal(sealedDocument(completeSpec))
    assert.deepEqual([sealedExample.diagnostics, sealedComplete.errors], [[], []])
    for (const sealed of [sealedDocument(), sealedExample.document, sealedComplete.sealed]) {
      const { stored, body } = await ask(sealed)
      assert.ok(stored !== undefined, body.message)
      assert.deepEqual(stored.spec, (sealed as ModelServiceDocument).spec)
    }
  })

  it('what is wrong is refused at its field, in the words of our own finding', async () => {
    const wrong: string[] = []
    for (const refusal of refusals) {
      const document = writeRefused(refusal)
      const { errors } = await seal(document)
      const { body } = await ask(document)
      const said = (body.details?.causes ?? []).filter(({ field }) => field === refusal.field)
      const fits = (message = ''): boolean =>
        refusal.words === undefined
          ? errors.some((error) => message.endsWith(`: ${error}`))
          : refusal.words.test(message)
      if (errors.length === 0 || !said.some(({ message }) => fits(message)))
        wrong.push(`${refusal.name}: ours ${errors.join('; ')}, the server's ${body.message ?? 'yes'}`)
    }
    assert.deepEqual(wrong, [])
  })

  it('a field that there is none of is refused, and told by name', async () => {
    for (const spec of [
      { replica: 1 },
      { resources: { cpus: 1 } },
      { env: [{ name: 'A', value: 'a', values: 'b' }] },
    ]) {
      const name = /replica|cpus|values/.exec(JSON.stringify(spec))?.[0]
      const { body } = await ask(sealedDocument(spec as object))
      assert.match(body.message ?? '', new RegExp(`unknown field "spec\\..*${name}"`))
    }
  })

  it('each odd value of each field is taken by both or by none', async () => {
    for (const [field, values] of Object.entries(oddValues))
      for (const value of values) await compare(put({}, field.split('.'), value))
  })

  it('several odd values at once are taken by both or by none', async () => {
    const pairs = Object.entries(oddValues).flatMap(([field, values]) => values.map((value) => [field, value] as const))
    const spec = fc
      .array(fc.constantFrom(...pairs), { minLength: 2, maxLength: 4 })
      .map((some) => some.reduce<object>((whole, [field, value]) => put(whole, field.split('.'), value), {}))
    await fc.assert(fc.asyncProperty(spec, compare), { numRuns: 500, interruptAfterTimeLimit: 60_000 })
  })

  it('what is out of reach of the custom resource is this and no more', async () => {
    for (const { spec, why } of outOfReach) {
      assert.notDeepEqual((await seal(sealedDocument(spec))).errors, [], why)
      assert.ok((await ask(sealedDocument(spec))).stored !== undefined, `${JSON.stringify(spec)} is refused: ${why}`)
    }
  })

  it('the name of a model stays: callers ask for it', async () => {
    const { model } = sealedDocument().spec
    const applyNamed = (name: string): Promise<Stored> => apply('named', { model: { ...model, name } })
    await apply('named', {})
    await applyNamed('named')
    await assert.rejects(
      applyNamed('other'),
      /spec\.model\.name.*model\.name cannot change from `named` to `other`, because callers ask for it by this name/,
    )
  })

  it('what somebody scaled stays when the spec, which says nothing of it, is applied again', async () => {
    assert.equal((await apply('scaled', {})).spec.replicas, undefined)
    await cluster.kubectl(['scale', 'ms/scaled', '--replicas=3'])
    assert.equal((await apply('scaled', { paused: true })).spec.replicas, 3)
    await apply('automatic', { autoscaling: { maxReplicas: 3, targets: { concurrency: 4 } } })
    await assert.rejects(
      cluster.kubectl(['scale', 'ms/automatic', '--replicas=2']),
      /replicas is fixed here, and autoscaling would change it/,
    )
  })

  it('lists merge by the keys that overlays merge them by', async () => {
    await apply('merged', { env: [{ name: 'A', value: '1' }] })
    const { spec } = await apply('merged', { env: [{ name: 'B', value: '2' }] }, 'other')
    assert.deepEqual(spec.env, [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ])
  })

  it('the status is written apart from the spec, and shown in a list', async () => {
    const lastTransitionTime = '2026-01-02T03:04:05Z'
    const ready = { type: 'Ready', status: 'True', reason: 'Serving', message: '2 of 2', lastTransitionTime }
    const status = { observedGeneration: 1, revision: 'r7', replicas: 2, selector: 'a=b', conditions: [ready] }
    // Of a service that says no number of replicas the API server answers no scale.
    const object = { ...sealedDocument({ replicas: 2 }), metadata: { name: 'told' }, status }
    const created = await client.create<Stored>(resources.modelServices, object)
    assert.equal(created.status, undefined)
    await client.merge(resources.modelServices, 'told', { status }, { subresource: 'status' })
    const { out } = await cluster.kubectl(['get', 'ms', 'told', '--no-headers'])
    assert.match(out, /^told\s+True\s+2\s+r7\s/)
    const scale = await cluster.kubectl(['get', 'ms', 'told', '--subresource=scale', '-o', 'jsonpath={.status}'])
    assert.deepEqual(JSON.parse(scale.out), { replicas: 2, selector: 'a=b' })
  })
})

/** `whole` with `value` at the place, and the maps on the way to it. */
function put(whole: object, [first = '', ...rest]: readonly string[], value: unknown): object {
  const inner = (whole as Record<string, unknown>)[first]
  const isMap = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
  const below = first === 'model' && inner === undefined ? sealedDocument().spec.model : isMap ? inner : {}
  return { ...whole, [first]: rest.length === 0 ? value : put(below, rest, value) }
}
