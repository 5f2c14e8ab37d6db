import { test } from 'node:test'
import { openProbe } from './fake-api-server/conformance/probe.ts'
import { openTestApi } from './fake-api-server/conformance/test-api.ts'
import { conformanceCases } from './fake-api-server/conformance-cases.ts'

for (const { name, run } of conformanceCases) {
  test(`fake API server: ${name}`, async (t) => {
    await run(await openProbe(await openTestApi(t)))
  })
}
