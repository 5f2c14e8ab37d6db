import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import { parse } from 'yaml'
import type { Scope } from '../../scope.ts'
import { type ApiUnderTest, valueAt } from './probe.ts'

/** How long controllers of a cluster that has nothing else to do take to see a change. */
const settleMs = 300

/** A real API server for the cases, by the client certificate of a kubeconfig; its connections end with the test. */
export function openRealApi(
  scope: Pick<Scope, 'after'>,
  kubeconfig: string,
  more: Pick<ApiUnderTest, 'compact'> = {},
): ApiUnderTest {
  const config: unknown = parse(readFileSync(kubeconfig, 'utf8'))
  const decode = (path: string): string => Buffer.from(String(valueAt(config, path)), 'base64').toString()
  const dispatcher = new Agent({
    connect: {
      ca: decode('clusters.0.cluster.certificate-authority-data'),
      cert: decode('users.0.user.client-certificate-data'),
      key: decode('users.0.user.client-key-data'),
    },
  })
  scope.after(() => dispatcher.destroy())
  return {
    url: String(valueAt(config, 'clusters.0.cluster.server')),
    dispatcher,
    settleMs,
    asStranger: (run) => run({ 'impersonate-user': 'stranger' }),
    ...more,
  }
}

/** Makes etcd forget all versions before now, as the server does it every few minutes. By its JSON gateway. */
export async function compactEtcd(url: string): Promise<void> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await request(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) })
    return answer.body.json()
  }
  const range = await post('/v3/kv/range', { key: Buffer.from('any').toString('base64') })
  await post('/v3/kv/compaction', { revision: valueAt(range, 'header.revision') })
}
