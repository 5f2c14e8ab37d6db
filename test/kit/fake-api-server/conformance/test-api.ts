import { Agent } from 'undici'
import type { Scope } from '../../scope.ts'
import { openFakeApiServer } from '../fake-api-server.ts'
import type { ApiUnderTest } from './probe.ts'

/** A fake server for the cases; it ends with the test. */
export async function openTestApi(scope: Pick<Scope, 'after'>): Promise<ApiUnderTest> {
  const server = await openFakeApiServer(scope, { user: 'stranger' })
  const dispatcher = new Agent()
  scope.after(() => dispatcher.destroy())
  return {
    url: server.url,
    dispatcher,
    settleMs: 0,
    compact: async () => server.compact(),
    async asStranger(run) {
      const allow = server.forbid(() => true)
      await run({})
      allow()
    },
  }
}
