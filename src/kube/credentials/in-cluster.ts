import { existsSync, readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { AccessWishes, ClusterAccess } from './access.ts'
import { openTokenFile } from './token-file.ts'

/** Where the kubelet puts what a pod's own account is. */
const accountDir = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The account of the pod that this runs in; undefined outside of one. */
export function readInCluster(
  { namespace, env = process.env }: AccessWishes,
  clock: Clock,
  dir: string = accountDir,
): ClusterAccess | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  const tokenFile = join(dir, 'token')
  if (host === undefined || port === undefined || !existsSync(tokenFile)) return undefined
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    context: 'in-cluster',
    namespace: namespace ?? readText(join(dir, 'namespace')) ?? 'default',
    tls: { ca: readFileSync(join(dir, 'ca.crt')), rejectUnauthorized: true },
    authorize: openTokenFile(tokenFile, clock),
  }
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}
