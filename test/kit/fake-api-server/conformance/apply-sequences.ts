import fc from 'fast-check'
import { resources } from '../../../../src/kube/resources.ts'
import type { JsonObject } from '../objects/stored-object.ts'
import { ownersOf } from './owners.ts'
import { type Probe, valueAt } from './probe.ts'

/** One apply of a sequence. */
export interface ApplyStep {
  readonly manager: string
  readonly force: boolean
  readonly intent: JsonObject
}

/** What is seen after one: the same on every server. */
export interface ApplySight {
  readonly status: number
  readonly message: unknown
  readonly owners: Record<string, readonly string[]>
  readonly labels: unknown
  readonly spec: unknown
}

const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(values, { nil: undefined })

const env = fc.uniqueArray(fc.record({ name: fc.constantFrom('A', 'B', 'C'), value: fc.constantFrom('1', '2') }), {
  selector: ({ name }) => name,
  maxLength: 3,
})

const container = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  image: fc.constantFrom('x:1', 'x:2'),
  env: maybe(env),
  args: maybe(fc.constantFrom(['1'], ['1', '2'])),
  resources: maybe(fc.record({ limits: fc.record({ cpu: fc.constantFrom('1', '1000m', '2') }) })),
})

const intent = fc
  .record({
    label: maybe(fc.constantFrom('1', '2')),
    replicas: maybe(fc.constantFrom(0, 1)),
    minReadySeconds: maybe(fc.constantFrom(1, 2)),
    containers: fc.uniqueArray(container, { selector: ({ name }) => name, maxLength: 3 }),
    tolerations: maybe(fc.constantFrom([{ key: 'a', operator: 'Exists' }], [{ key: 'b', operator: 'Exists' }])),
    terminationGracePeriodSeconds: maybe(fc.constantFrom(30, 40)),
  })
  .map(({ label, replicas, minReadySeconds, containers, ...pod }): JsonObject => {
    const labels = { app: 'd' }
    const template = { metadata: { labels }, spec: { ...pod, ...(containers.length === 0 ? {} : { containers }) } }
    const spec = { replicas, minReadySeconds, paused: true, selector: { matchLabels: labels }, template }
    const metadata = { name: 'd', ...(label === undefined ? {} : { labels: { label } }) }
    // Absent, and not undefined.
    return JSON.parse(JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec })) as JsonObject
  })

/** Sequences of applies by two managers over one Deployment. */
export const applySequences: fc.Arbitrary<readonly ApplyStep[]> = fc.array(
  fc.record({ manager: fc.constantFrom('one', 'two'), force: fc.boolean(), intent }),
  { minLength: 1, maxLength: 8 },
)

/** One step with the object before and after it. */
export interface ApplyLook {
  readonly step: ApplyStep
  readonly status: number
  readonly before: JsonObject
  readonly after: JsonObject
}

/** Runs one in the probe's namespace; `look` is called after each step. Deletes the Deployment at the end. */
export async function runApplySequence(
  probe: Probe,
  steps: readonly ApplyStep[],
  look: (look: ApplyLook) => Promise<void> = async () => {},
): Promise<readonly ApplySight[]> {
  const { deployments } = resources
  const sights: ApplySight[] = []
  let before = (await probe.get(deployments, 'd')).body
  for (const step of steps) {
    const query: Record<string, string> = step.force ? { force: 'true' } : {}
    const { status, body } = await probe.apply(deployments, step.intent, step.manager, query)
    const after = (await probe.get(deployments, 'd')).body
    await look({ step, status, before, after })
    const labels = valueAt(after, 'metadata.labels')
    const message = status < 400 ? undefined : body['message']
    sights.push({ status, message, owners: ownersOf(after), labels, spec: after['spec'] })
    before = after
  }
  await probe.remove(deployments, 'd')
  return sights
}
