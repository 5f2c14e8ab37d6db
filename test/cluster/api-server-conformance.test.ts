import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { conformanceCases } from '../kit/fake-api-server/conformance-cases.ts'
import { applySequences, runApplySequence } from '../kit/fake-api-server/conformance/apply-sequences.ts'
import { openCluster } from '../kit/cluster/open-cluster.ts'
import { findShapeDifferences } from '../kit/fake-api-server/conformance/openapi-shapes.ts'
import { type ApiUnderTest, openProbe } from '../kit/fake-api-server/conformance/probe.ts'
import { compactEtcd, openRealApi } from '../kit/fake-api-server/conformance/real-api.ts'
import { openTestApi } from '../kit/fake-api-server/conformance/test-api.ts'
import { createKind, standardResources } from '../kit/fake-api-server/objects/kind.ts'

const ends: (() => unknown)[] = []
let skip: string | false = false
const cluster = await openCluster(
  { after: (end) => void ends.push(end), skip: (reason) => void (skip = reason) },
  // A young server answers old versions from its memory, which makes nothing too old.
  { kwok: false, apiServerFlags: ['--feature-gates=ListFromCacheSnapshot=false'] },
)
const { kubeconfig, etcdUrl: etcd } = cluster ?? {}
after(async () => {
  for (const end of ends.toReversed()) await end()
})

function openReal(): ApiUnderTest {
  const scope = { after: (end: () => unknown) => void ends.push(end) }
  return openRealApi(scope, kubeconfig ?? '', etcd === undefined ? {} : { compact: () => compactEtcd(etcd) })
}
for (const { name, run } of conformanceCases) {
  test(`real API server: ${name}`, { skip }, async () => {
    await run(await openProbe(openReal()))
  })
}

test('the fake one knows the shapes of the real one', { skip }, async () => {
  const { call } = await openProbe(openReal())
  const differences: string[] = []
  for (const resource of standardResources) {
    const { group, version } = resource
    const document = await call('GET', `/openapi/v3/${group === '' ? 'api' : `apis/${group}`}/${version}`)
    differences.push(...findShapeDifferences(createKind(resource), document.body))
  }
  assert.deepEqual(differences, [])
})

test(
  'whatever two managers apply in turn, both servers end with the same spec and the same owners',
  { skip },
  async (t) => {
    const [ours, theirs] = await Promise.all([openProbe(await openTestApi(t)), openProbe(openReal())])
    const property = fc.asyncProperty(applySequences, async (steps) => {
      assert.deepEqual(await runApplySequence(ours, steps), await runApplySequence(theirs, steps))
    })
    await fc.assert(property, { numRuns: 60 })
  },
)
